import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { createSourceEventStream, execute, GraphQLError } from 'graphql';
import type { GraphqlContext, RateLimitStatus, Viewer } from '../../schema/graphql/context.ts';
import type { Clock } from '../runtime/clock.ts';
import type { OperationEnd } from './api-metrics.ts';
import type { Charge, CostBuckets } from './cost-buckets.ts';
import { mostNodes, mostPoints, principalRule } from './cost-buckets.ts';
import type { MaskErrors } from './mask-errors.ts';
import type { OperationCaller } from './operation-context.ts';
import { objectsIn } from './operation-cost.ts';
import type { AdmittedOperation } from './operation-gate.ts';

/** How long an operation, or one event of a stream, may take (reference/graphql.md section 4). */
const deadlineMs = 10_000;
/** Streams one key may have open at once, over whatever transport: ten sockets full. */
const mostStreamsOfKey = 200;

export interface OperationAnswer {
  readonly result: ExecutionResult | AsyncIterableIterator<ExecutionResult>;
  /** What the principal's bucket says; null where the operation was not charged. */
  readonly charge: Charge | null;
}

export interface OperationRunner {
  readonly run: (operation: AdmittedOperation, caller: OperationCaller, signal: AbortSignal) => Promise<OperationAnswer>;
}

/**
 * Carries out admitted operations: charges them, gives them a context of their own, a deadline, and masks what went wrong.
 * Events of a subscription each get a fresh context, so that nothing one of them loaded outlives it.
 */
export function createOperationRunner(options: {
  readonly schema: GraphQLSchema;
  readonly buckets: CostBuckets;
  readonly clock: Clock;
  readonly maskErrors: MaskErrors;
  readonly contextOf: (caller: OperationCaller, signal: AbortSignal, rateLimit: () => RateLimitStatus) => GraphqlContext;
  /** Told how each operation ended and how long it took. */
  readonly observe: (end: OperationEnd, seconds: number) => void;
}): OperationRunner {
  const { schema, buckets, clock, maskErrors, contextOf, observe } = options;

  const rateLimitOf =
    (viewer: Viewer, { cost }: AdmittedOperation) =>
    (): RateLimitStatus => {
      const remaining = buckets.remaining(viewer.apiKeyId);
      const fullInMs = ((principalRule.limit - remaining) / principalRule.restorePerSecond) * 1_000;
      return {
        limit: principalRule.limit,
        remaining,
        restorePerSecond: principalRule.restorePerSecond,
        resetAt: new Date(clock.now() + fullInMs),
        cost: cost.points,
        nodeCount: cost.nodes,
      };
    };

  const masked = (result: ExecutionResult): ExecutionResult =>
    result.errors === undefined ? result : { ...result, errors: maskErrors(result.errors) };

  const execution = (operation: AdmittedOperation, contextValue: GraphqlContext, rootValue?: unknown) => ({
    schema,
    document: operation.document,
    operationName: operation.operationName ?? null,
    variableValues: operation.variables,
    contextValue,
    rootValue,
  });

  const answer = async (operation: AdmittedOperation, caller: OperationCaller, signal: AbortSignal): Promise<ExecutionResult> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const context = contextOf(caller, bounded, rateLimitOf(caller.viewer, operation));
    return masked(await unlessAborted(execute(execution(operation, context)), bounded));
  };

  const streamsOfKey = new Map<string, number>();
  const countStream = (key: string, change: 1 | -1): void => {
    const count = (streamsOfKey.get(key) ?? 0) + change;
    if (count === 0) streamsOfKey.delete(key);
    else streamsOfKey.set(key, count);
  };

  const subscribe = async (operation: AdmittedOperation, caller: OperationCaller, signal: AbortSignal) => {
    const { apiKeyId } = caller.viewer;
    if ((streamsOfKey.get(apiKeyId) ?? 0) >= mostStreamsOfKey) {
      return {
        errors: [new GraphQLError(`At most ${mostStreamsOfKey} streams for one key.`, { extensions: { code: 'TOO_MANY_STREAMS' } })],
      };
    }
    const context = () => contextOf(caller, signal, rateLimitOf(caller.viewer, operation));
    const source = await createSourceEventStream(execution(operation, context()));
    if (!(Symbol.asyncIterator in source)) return masked(source);
    countStream(apiKeyId, 1);
    return mapEvents(
      source[Symbol.asyncIterator](),
      async (event) => {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
        const ofEvent = contextOf(caller, bounded, rateLimitOf(caller.viewer, operation));
        return masked(await unlessAborted(execute(execution(operation, ofEvent, event)), bounded));
      },
      () => countStream(apiKeyId, -1),
    );
  };

  const run = async (operation: AdmittedOperation, caller: OperationCaller, signal: AbortSignal): Promise<OperationAnswer> => {
    const { cost } = operation;
    const { apiKeyId, organizationId } = caller.viewer;
    if (cost.points > mostPoints || cost.nodes > mostNodes) {
      const message = `The operation can cost ${cost.points} points and return ${cost.nodes} nodes; at most ${mostPoints} and ${mostNodes} are allowed. Ask for smaller pages.`;
      return {
        result: { errors: [new GraphQLError(message, { extensions: { code: 'OPERATION_TOO_EXPENSIVE', cost: cost.points } })] },
        charge: null,
      };
    }
    if (isDryRun(operation)) return { result: await answer(onlyRateLimit(operation), caller, signal), charge: null };
    const charge = buckets.charge(apiKeyId, organizationId, cost.points);
    if (!charge.granted) {
      const extensions = { code: 'THROTTLED', retryAfterMs: charge.retryAfterMs };
      return { result: { errors: [new GraphQLError('Too many points were spent; come back later.', { extensions })] }, charge };
    }
    if (operation.operation.operation === 'subscription') return { result: await subscribe(operation, caller, signal), charge };
    const result = await answer(operation, caller, signal);
    const actual = Math.min(cost.points, cost.fixed + Math.max(0, objectsIn(result.data) - 1));
    buckets.refund(apiKeyId, organizationId, cost.points - actual);
    const remaining = buckets.remaining(apiKeyId);
    const throttleStatus = {
      maximumAvailable: principalRule.limit,
      currentlyAvailable: remaining,
      restoreRate: principalRule.restorePerSecond,
    };
    const extensions = { ...result.extensions, cost: { requestedQueryCost: cost.points, actualQueryCost: actual, throttleStatus } };
    return { result: { ...result, extensions }, charge: { ...charge, remaining } };
  };

  return {
    run: async (operation, caller, signal) => {
      const startedMs = clock.monotonic();
      const answered = await run(operation, caller, signal);
      observe(endOf(answered), (clock.monotonic() - startedMs) / 1_000);
      return answered;
    },
  };
}

function endOf({ result, charge }: OperationAnswer): OperationEnd {
  if (Symbol.asyncIterator in result) return 'streaming';
  if (charge?.granted === false) return 'throttled';
  if (result.errors === undefined) return 'answered';
  return result.errors.some((error) => error.extensions.code === 'OPERATION_TOO_EXPENSIVE') ? 'too_expensive' : 'with_errors';
}

/** graphql-js cannot be stopped; what it still does once nobody waits is refused by the ports, which ask the same signal. */
async function unlessAborted(result: ExecutionResult | Promise<ExecutionResult>, signal: AbortSignal): Promise<ExecutionResult> {
  let onAbort: (() => void) | null = null;
  const aborted = new Promise<ExecutionResult>((resolve) => {
    onAbort = () =>
      resolve({
        errors: [new GraphQLError('The operation took too long, or was given up.', { extensions: { code: 'TIMEOUT' } })],
        data: null,
      });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    if (onAbort !== null) signal.removeEventListener('abort', onAbort);
  }
}

/** Maps a stream without taking it over: `return` reaches the source at once, also while it waits for its next event. */
function mapEvents<Event>(
  source: AsyncIterator<Event>,
  map: (event: Event) => Promise<ExecutionResult>,
  onEnd: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const done: IteratorResult<ExecutionResult> = { done: true, value: undefined };
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    onEnd();
  };
  const iterator: AsyncIterableIterator<ExecutionResult> = {
    next: async () => {
      try {
        const event = await source.next();
        if (event.done !== true) return { done: false, value: await map(event.value) };
      } catch (error) {
        end();
        throw error;
      }
      end();
      return done;
    },
    return: async () => {
      end();
      await source.return?.();
      return done;
    },
    throw: async (error) => {
      end();
      await source.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

function rateLimitFields({ operation }: AdmittedOperation) {
  return operation.selectionSet.selections.filter((selection) => selection.kind === 'Field' && selection.name.value === 'rateLimit');
}

/** Only a literal counts: what is free must be plain to see. */
function isDryRun(operation: AdmittedOperation): boolean {
  return (
    operation.operation.operation === 'query' &&
    rateLimitFields(operation).some(
      (field) =>
        field.kind === 'Field' &&
        field.arguments?.some(({ name, value }) => name.value === 'dryRun' && value.kind === 'BooleanValue' && value.value) === true,
    )
  );
}

function onlyRateLimit(admitted: AdmittedOperation): AdmittedOperation {
  const { document, operation } = admitted;
  const reduced = { ...operation, selectionSet: { ...operation.selectionSet, selections: rateLimitFields(admitted) } };
  return {
    ...admitted,
    operation: reduced,
    document: { ...document, definitions: document.definitions.map((definition) => (definition === operation ? reduced : definition)) },
  };
}
