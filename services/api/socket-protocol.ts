import type { ExecutionArgs, GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Server } from 'graphql-ws';
import { makeServer } from 'graphql-ws';
import { idFromUuid, mintUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Authenticate } from './authenticate.ts';
import type { MaskErrors } from './mask-errors.ts';
import type { AdmittedOperation, OperationGate } from './operation-gate.ts';
import type { OperationRunner } from './operation-runner.ts';
import type { Principals } from './principals.ts';
import type { SocketSession } from './socket-session.ts';

/** Streams one socket may have at once, and sockets one key. */
const mostOperations = 20;
const mostSocketsOfKey = 10;
const initWithinMs = 3_000;
const tryAgainLater = 1013;

export interface SocketProtocol {
  readonly server: Server<SocketSession>;
}

/**
 * graphql-transport-ws over the same gate and runner as HTTP, for subscriptions only: HTTP has the limits and the audit that
 * queries and changes need. A document that is refused gets an `error`; the socket and its other streams go on.
 */
export function createSocketProtocol(options: {
  readonly schema: GraphQLSchema;
  readonly gate: OperationGate;
  readonly runner: OperationRunner;
  readonly authenticate: Authenticate;
  readonly principals: Principals;
  readonly maskErrors: MaskErrors;
  readonly clock: Clock;
  readonly random: Random;
}): SocketProtocol {
  const { schema, gate, runner, authenticate, principals, maskErrors, clock, random } = options;
  const socketsOfKey = new Map<string, number>();
  const admitted = new WeakMap<object, { readonly id: string; readonly operation: AdmittedOperation; readonly session: SocketSession }>();

  const subscribe = async ({ contextValue }: ExecutionArgs) => {
    const found = typeof contextValue === 'object' && contextValue !== null ? admitted.get(contextValue) : undefined;
    const known = found?.session.known() ?? null;
    if (found === undefined || known === null) throw new Error('an operation came past the gate');
    const { id, operation, session } = found;
    const caller = {
      viewer: known.viewer,
      watch: () => principals.watch(known.presented, session.address, known.principal),
      origin: {
        requestId: idFromUuid('request', mintUuid(clock.now(), random.bytes(10))),
        address: session.address,
        userAgent: session.userAgent,
      },
    };
    try {
      const { result } = await runner.run(operation, caller, session.gone);
      if (Symbol.asyncIterator in result) session.streams(id, result);
      return result;
    } catch (error) {
      // Thrown, it would take the whole socket with it.
      const wrapped = new GraphQLError('Unexpected error.', { originalError: error instanceof Error ? error : new Error(String(error)) });
      return { errors: maskErrors([wrapped]) };
    }
  };

  const server = makeServer<Record<string, unknown>, SocketSession>({
    schema,
    connectionInitWaitTimeout: initWithinMs,
    onConnect: async ({ connectionParams, extra: session }) => {
      const token = connectionParams?.authorization ?? connectionParams?.Authorization;
      const authentication = await authenticate(typeof token === 'string' ? token : session.authorization, session.address);
      if (session.ending() || session.gone.aborted) return false;
      if (authentication.kind === 'refused') {
        const { status, principal, message } = authentication.refusal;
        if (status === 429 || status === 503) session.end(tryAgainLater, message);
        else if (principal?.kind === 'expired') session.end(4403, 'The key has expired');
        else session.end(4401, message.slice(0, 120));
        return false;
      }
      const { apiKeyId } = authentication.viewer;
      const sockets = socketsOfKey.get(apiKeyId) ?? 0;
      if (sockets >= mostSocketsOfKey) {
        session.end(tryAgainLater, `At most ${mostSocketsOfKey} sockets for one key`);
        return false;
      }
      socketsOfKey.set(apiKeyId, sockets + 1);
      session.gone.addEventListener('abort', () => {
        const left = (socketsOfKey.get(apiKeyId) ?? 1) - 1;
        if (left === 0) socketsOfKey.delete(apiKeyId);
        else socketsOfKey.set(apiKeyId, left);
      });
      session.admit(authentication, principals.watch(authentication.presented, session.address, authentication.principal));
      return true;
    },
    onSubscribe: ({ extra: session }, id, payload) => {
      if (session.ending()) return [new GraphQLError('The socket is about to close.', { extensions: { code: 'SERVICE_UNAVAILABLE' } })];
      if (session.active() >= mostOperations) {
        return [new GraphQLError(`At most ${mostOperations} operations on one socket.`, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
      }
      const admission = gate(payload);
      if (admission.kind === 'refused') return admission.errors;
      const { operation } = admission;
      if (operation.operation.operation !== 'subscription') {
        return [new GraphQLError('Send queries and mutations over HTTP.', { extensions: { code: 'BAD_REQUEST' } })];
      }
      const contextValue = {};
      admitted.set(contextValue, { id, operation, session });
      session.began(id);
      return {
        schema,
        document: operation.document,
        operationName: operation.operationName,
        variableValues: operation.variables,
        contextValue,
      };
    },
    subscribe,
    onError: (_context, _id, _payload, errors) => maskErrors(errors).map((error) => error.toJSON()),
    onComplete: ({ extra: session }, id) => session.completed(id),
  });
  return { server };
}
