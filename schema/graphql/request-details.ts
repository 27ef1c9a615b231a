import { Compile } from 'typebox/compile';
import type { Attempt } from '../events/request-settled.v1.ts';
import { RequestSettled } from '../events/request-settled.v1.ts';
import { builder } from './builder.ts';
import { Money } from './money.ts';
import { endedHolds, holdsOf, RequestHold } from './request-hold.ts';
import { RequestRefusal, refusalsOf } from './request-refusal.ts';

const check = Compile(RequestSettled);

/** The event of a request out of its bytes, or null where they are no event of this version: then its columns still tell the rest. */
export function parseRequestDetails(body: Buffer): RequestSettled | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return null;
  }
  return check.Check(value) ? value : null;
}

const AttemptOutcome = builder.enumType('AttemptOutcome', {
  values: {
    SUCCEEDED: { value: 'succeeded' },
    FAILED: { value: 'failed' },
    CANCELLED: { value: 'cancelled' },
    UNKNOWN: { value: 'unknown' },
  } as const,
});

const RequestAttempt = builder.objectRef<Attempt>('Attempt').implement({
  description: 'One call made to a provider.',
  fields: (t) => ({
    provider: t.exposeString('provider'),
    upstreamModel: t.exposeString('upstreamModel'),
    startAfter: t.field({ type: 'Duration', description: 'From admission to the call.', resolve: ({ startMs }) => startMs }),
    duration: t.field({ type: 'Duration', resolve: ({ durationMs }) => durationMs }),
    httpStatus: t.exposeInt('status', { nullable: true }),
    outcome: t.field({ type: AttemptOutcome, resolve: ({ outcome }) => outcome }),
    errorCode: t.exposeString('errorCode', { nullable: true }),
    providerRequestId: t.exposeString('providerRequestId', { nullable: true }),
  }),
});

export const RouteDecision = builder.objectRef<RequestSettled['decision']>('RouteDecision').implement({
  description: 'Why the request went where it went.',
  fields: (t) => ({
    reason: t.exposeString('reason'),
    candidates: t.exposeStringList('candidates', { description: 'In the order they were considered.' }),
  }),
});

/** What only the event holds and no column does. */
export const RequestDetails = builder.objectRef<RequestSettled>('RequestDetails').implement({
  description: 'What only the event itself holds.',
  fields: (t) => ({
    attempts: t.field({
      type: [RequestAttempt],
      description: 'Empty where it never left the gateway.',
      resolve: ({ attempts }) => attempts,
    }),
    holds: t.loadableList({
      type: RequestHold,
      description: 'What it held of the budgets and rate limits that count it.',
      load: (events: RequestSettled[], context) => holdsOf(context.leases, events.map(endedHolds)),
      resolve: (event) => event,
    }),
    refusedBy: t.loadable({
      type: RequestRefusal,
      nullable: true,
      description: 'Null where no budget or rate limit refused it.',
      load: async (events: RequestSettled[], context) => (await refusalsOf(context.leases, events)).map(({ refusedBy }) => refusedBy),
      resolve: (event) => event,
    }),
    wouldRefuse: t.loadableList({
      type: RequestRefusal,
      description: 'Budgets with the enforcement AUDIT that would have refused it, and what was known of them then.',
      load: async (events: RequestSettled[], context) => (await refusalsOf(context.leases, events)).map(({ wouldRefuse }) => wouldRefuse),
      resolve: (event) => event,
    }),
    replayOfId: t.id({
      nullable: true,
      description: 'Of the request whose answer it got again by its `Idempotency-Key`, at no cost; null everywhere else.',
      resolve: ({ replayOf }) => replayOf ?? null,
    }),
    decision: t.field({ type: RouteDecision, resolve: ({ decision }) => decision }),
    modelAnswered: t.exposeString('modelAnswered', { nullable: true }),
    finishReason: t.exposeString('finishReason', { nullable: true }),
    serviceTier: t.exposeString('serviceTier', { nullable: true }),
    usageFlags: t.exposeStringList('usageFlags'),
    rawUsage: t.exposeString('rawUsage', { nullable: true, description: "The provider's own usage object, to the byte." }),
    reportedCost: t.field({
      type: Money,
      nullable: true,
      description: 'What the provider says it charges, where it does; `cost` is always by our prices.',
      resolve: ({ reportedCostPico }) => (reportedCostPico === undefined ? null : BigInt(reportedCostPico)),
    }),
    overhead: t.field({
      type: 'Duration',
      nullable: true,
      description: 'Time spent in the gateway itself.',
      resolve: ({ timings }) => timings.overheadMs,
    }),
    sdkRetryCount: t.exposeInt('sdkRetryCount', { nullable: true }),
    node: t.exposeString('node', { description: 'The proxy that served it.' }),
  }),
});
