import type { Attempt, Outcome, RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import type { TokenUsage, UnitUsage } from '../../../schema/values/token-usage.ts';
import type { PlannedCount, SettledCounts } from '../budgets/budget-counts.ts';
import type { TakenHold } from '../budgets/budget-holds.ts';
import type { CompiledKey } from '../snapshot/compiled-snapshot.ts';

/** What is known of a request from its admission on. */
export interface AdmittedRequest {
  readonly requestId: string;
  readonly key: Pick<CompiledKey, 'id' | 'organizationId' | 'teamId' | 'userId' | 'serviceAccountId' | 'partition'>;
  readonly endpoint: string;
  readonly admittedAtMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly subjectCommitment: string | null;
  readonly sdkRetryCount: number | null;
  readonly modelRequested: string | null;
  /** `provider/model`, once one was chosen. */
  readonly model: string | null;
  readonly provider: string | null;
  /** The route it was asked for by, or null. */
  readonly routeId: string | null;
  readonly stream: boolean;
  readonly decisionReason: string;
  readonly candidates: readonly string[];
  /** What it holds of its budgets; null or absent: of none. */
  readonly holds?: readonly TakenHold[] | null;
  /** What it has of shared rate limits; null or absent: of none. */
  readonly shares?: { settle(ending: Ending): void } | null;
  /** The limits that count it and hold nothing; null or absent: none. */
  readonly counts?: readonly PlannedCount[] | null;
  /** The budget that refuses it. */
  readonly refusedBy?: NonNullable<RequestSettled['refusedBy']> | null;
  /** `req_…` whose answer it gets again. */
  readonly replayOf?: string | null;
}

/** What a request cost: an amount, nothing for certain, or not known and why. */
export type SettledCost =
  | { readonly kind: 'rated'; readonly costPico: bigint; readonly priceVersion: string }
  | { readonly kind: 'free' }
  | { readonly kind: 'unrated'; readonly reason: string };

/** How a request ended. */
export interface Ending {
  readonly outcome: Outcome;
  /** Sent to the application; 499 when it left before one was; null when nobody knows (orphans). */
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly finishReason: string | null;
  readonly modelAnswered: string | null;
  readonly attempts: readonly Attempt[];
  readonly usage: TokenUsage | null;
  /** Null or absent: none was told. */
  readonly units?: UnitUsage | null;
  readonly rawUsage: string | null;
  readonly usageFlags: readonly string[];
  readonly serviceTier: string | null;
  readonly cost: SettledCost;
  /** What the provider says it charges; null or absent: nothing. */
  readonly reportedCostPico?: bigint | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly overheadMs: number | null;
}

/** Which proxy writes the event. */
export interface Writer {
  readonly node: string;
  readonly epoch: number;
}

/**
 * The one event of a request: pure, so that every way a request can end is a row of a table in a test.
 * A cost that is free for certain is `0` with no price version; an unknown one is null with its reason.
 */
export function settle(
  request: AdmittedRequest,
  ending: Ending,
  writer: Writer,
  holds: RequestSettled['holds'] = [],
  counts: SettledCounts | null = null,
): RequestSettled {
  const { key } = request;
  const { cost } = ending;
  const event: RequestSettled = {
    version: 1,
    requestId: request.requestId,
    organizationId: key.organizationId,
    apiKeyId: key.id,
    teamId: key.teamId,
    userId: key.userId,
    serviceAccountId: key.serviceAccountId,
    tags: request.tags,
    endpoint: request.endpoint,
    modelRequested: request.modelRequested,
    model: request.model,
    provider: request.provider,
    modelAnswered: ending.modelAnswered,
    routeId: request.routeId,
    stream: request.stream,
    outcome: ending.outcome,
    status: ending.status,
    errorCode: ending.errorCode,
    finishReason: ending.finishReason,
    attempts: [...ending.attempts],
    usage: ending.usage,
    units: ending.units ?? null,
    usageSource: ending.usage === null ? null : 'provider',
    rawUsage: ending.rawUsage,
    usageFlags: [...ending.usageFlags],
    serviceTier: ending.serviceTier,
    batch: false,
    costPico: cost.kind === 'rated' ? cost.costPico.toString() : cost.kind === 'free' ? '0' : null,
    priceVersion: cost.kind === 'rated' ? cost.priceVersion : null,
    unrated: cost.kind === 'unrated' ? cost.reason : null,
    holds,
    decision: { reason: request.decisionReason, candidates: [...request.candidates] },
    timings: {
      admittedAt: request.admittedAtMs,
      firstByteMs: roundedOrNull(ending.firstByteMs),
      totalMs: rounded(ending.totalMs),
      overheadMs: roundedOrNull(ending.overheadMs),
    },
    sdkRetryCount: request.sdkRetryCount,
    subjectCommitment: request.subjectCommitment,
    node: writer.node,
    epoch: writer.epoch,
  };
  if (request.refusedBy != null) event.refusedBy = request.refusedBy;
  if (ending.reportedCostPico != null) event.reportedCostPico = ending.reportedCostPico.toString();
  if (request.replayOf != null) event.replayOf = request.replayOf;
  if (counts !== null && counts.counted.length > 0) event.counted = counts.counted;
  if (counts !== null && counts.wouldRefuse.length > 0) event.wouldRefuse = counts.wouldRefuse;
  return event;
}

/** The settlement of a request whose process died: what was known at admission, and nothing about the rest. */
export function orphanEnding(attempt: { readonly provider: string; readonly upstreamModel: string; readonly startMs: number }): Ending {
  return {
    outcome: 'orphaned',
    status: null,
    errorCode: null,
    finishReason: null,
    modelAnswered: null,
    attempts: [{ ...attempt, durationMs: 0, status: null, outcome: 'unknown', errorCode: null, providerRequestId: null }],
    usage: null,
    rawUsage: null,
    usageFlags: ['usage_missing'],
    serviceTier: null,
    cost: { kind: 'unrated', reason: 'orphaned' },
    firstByteMs: null,
    totalMs: 0,
    overheadMs: null,
  };
}

/** The ending of a request that was answered without any provider. */
export function localEnding(outcome: Outcome, status: number, errorCode: string | null, totalMs: number): Ending {
  return {
    outcome,
    status,
    errorCode,
    finishReason: null,
    modelAnswered: null,
    attempts: [],
    usage: null,
    rawUsage: null,
    usageFlags: [],
    serviceTier: null,
    cost: { kind: 'free' },
    firstByteMs: null,
    totalMs,
    overheadMs: totalMs,
  };
}

/** Microseconds are enough; the digits of a double's noise would only make events longer. */
function rounded(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 1_000) / 1_000);
}

function roundedOrNull(milliseconds: number | null): number | null {
  return milliseconds === null ? null : rounded(milliseconds);
}
