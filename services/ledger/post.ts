import type { CloudEvent } from '../../schema/events/cloud-event.ts';
import type { StoredRecord } from '../../schema/events/log-record.ts';
import type { RequestSettled, RequestSubject } from '../../schema/events/request-settled.v1.ts';
import { uuidFromId, uuidTimeMs } from '../../schema/values/ids.ts';
import type { PicoUsd } from '../../schema/values/money.ts';
import type { RequestSubjectInsert } from '../journal/append-entries.ts';
import { isBookable } from '../journal/append-entries.ts';
import type { LedgerEntryInsert } from '../journal/entry-columns.ts';
import type { PriceSheet } from '../pricing/price-sheet.ts';
import { rateCost } from '../pricing/rate.ts';
import { knownUuid } from './known-uuids.ts';
import type { PostedCount, PostedHold } from './store/ledger-store.ts';

/** A record whose event was read, ready to be posted. */
export interface SettledRecord {
  readonly record: StoredRecord;
  readonly event: RequestSettled;
  readonly envelope: CloudEvent;
  readonly subject: RequestSubject | null;
  /** SHA-256 of the record's value. */
  readonly bodyHash: Buffer;
}

export type Posting =
  | {
      readonly ok: true;
      readonly entry: LedgerEntryInsert;
      readonly subject: RequestSubjectInsert | null;
      /** What it debits leases with; empty for most. */
      readonly holds: readonly PostedHold[];
      /** What it used of limits that hold nothing. */
      readonly counts: readonly PostedCount[];
    }
  | { readonly ok: false; readonly reason: PostRejection; readonly detail: string };

/** Why an event that reads well is no entry. */
export type PostRejection = 'id_malformed' | 'time_implausible';

/** Marks that posting puts on an entry, after those that the event brought along. */
export const postingFlags = {
  /** The ledger's cost is not the one the proxy told the application. */
  costDiffers: 'cost_differs',
  /** The producer's time is more than 35 days behind ours or more than 5 minutes ahead. */
  timeOutOfRange: 'time_out_of_range',
  /** The event names a price version that the registry does not hold. */
  priceVersionUnknown: 'price_version_unknown',
  /** A budget that is audited would have refused the request. */
  wouldRefuse: 'budget_would_refuse',
} as const;

const dayMs = 86_400_000;
const maxBehindMs = 35 * dayMs;
const maxAheadMs = 5 * 60_000;

/**
 * The ledger's line for a settled request: pure, so that the same record always gives the same entry, but for the flag that
 * says how far its time is from ours. The cost is rated again from usage and price version; the proxy's is kept beside it.
 * @param sheet of the event's price version; null when it names none or the registry does not hold it.
 */
export function post(settled: SettledRecord, sheet: PriceSheet | null, nowMs: number): Posting {
  const { record, event, envelope } = settled;
  const requestId = uuidFromId('request', event.requestId);
  const organizationId = knownUuid('organization', event.organizationId);
  const apiKeyId = knownUuid('apiKey', event.apiKeyId);
  if (requestId === null || organizationId === null || apiKeyId === null) {
    return { ok: false, reason: 'id_malformed', detail: 'request, organization or key' };
  }
  const occurredAtMs = uuidTimeMs(requestId);
  if (!isBookable(occurredAtMs)) return { ok: false, reason: 'time_implausible', detail: "the request id's time" };

  const flags = [...event.usageFlags];
  const { cost, unrated } = rateEvent(event, sheet);
  const proxyCost = event.costPico === null ? null : BigInt(event.costPico);
  if (unrated === postingFlags.priceVersionUnknown) flags.push(postingFlags.priceVersionUnknown);
  if (proxyCost !== cost) flags.push(postingFlags.costDiffers);
  if (event.wouldRefuse !== undefined) flags.push(postingFlags.wouldRefuse);
  if (isOutOfRange(occurredAtMs, nowMs) || isOutOfRange(envelope.timeMs, nowMs)) flags.push(postingFlags.timeOutOfRange);

  const occurredAt = new Date(occurredAtMs);
  const { usage } = event;
  const entry: LedgerEntryInsert = {
    entry_id: requestId,
    occurred_at: occurredAt,
    kind: 'usage',
    organization_id: organizationId,
    request_id: requestId,
    api_key_id: apiKeyId,
    team_id: optionalUuid('team', event.teamId),
    user_id: optionalUuid('user', event.userId),
    service_account_id: optionalUuid('serviceAccount', event.serviceAccountId),
    endpoint: event.endpoint,
    provider: event.provider,
    model: event.model,
    model_requested: event.modelRequested,
    route_id: optionalUuid('route', event.routeId),
    outcome: event.outcome,
    status: event.status,
    error_code: event.errorCode,
    stream: event.stream,
    tokens_input: count(usage?.input),
    tokens_cache_read: count(usage?.cacheRead),
    tokens_cache_write_5m: count(usage?.cacheWrite5m),
    tokens_cache_write_1h: count(usage?.cacheWrite1h),
    tokens_input_audio: count(usage?.inputAudio),
    tokens_input_image: count(usage?.inputImage),
    tokens_output: count(usage?.output),
    tokens_reasoning: count(usage?.reasoning),
    tokens_output_audio: count(usage?.outputAudio),
    tokens_output_image: count(usage?.outputImage),
    usage_source: event.usageSource,
    cost,
    price_version: event.priceVersion,
    unrated,
    proxy_cost: proxyCost,
    flags,
    tags: event.tags,
    first_byte_ms: event.timings.firstByteMs,
    total_ms: event.timings.totalMs,
    reverses: null,
    reason: null,
    log_partition: record.partition,
    log_offset: record.offset,
    body: record.value,
    body_hash: settled.bodyHash,
  };
  const holds = event.holds.length === 0 ? NO_HOLDS : postedHolds(event, organizationId, cost);
  if (holds === null) return { ok: false, reason: 'id_malformed', detail: 'node or counter of a hold' };
  const counts = event.counted === undefined ? NO_COUNTS : postedCounts(event, event.counted, organizationId, cost);
  if (counts === null) return { ok: false, reason: 'id_malformed', detail: 'limit of a count' };
  const subject = settled.subject;
  return {
    ok: true,
    entry,
    holds,
    counts,
    subject:
      subject === null
        ? null
        : {
            requestId,
            organizationId,
            occurredAt,
            salt: Buffer.from(subject.salt, 'hex'),
            endUser: subject.endUser,
            address: subject.address,
            metadata: subject.metadata,
            endUserAlias: subject.alias ?? null,
          },
  };
}

/**
 * What the books say the request cost. Exactly one of the two is null.
 * Without a price version nothing can be rated: it is free where the proxy states so ({@link isStatedFree}), else unrated for the
 * reason the proxy gave.
 */
function rateEvent(
  event: RequestSettled,
  sheet: PriceSheet | null,
): { readonly cost: PicoUsd; readonly unrated: null } | { readonly cost: null; readonly unrated: string } {
  if (isStatedFree(event)) return { cost: 0n, unrated: null };
  if (event.priceVersion === null) return { cost: null, unrated: event.unrated ?? 'no_price' };
  if (sheet === null) return { cost: null, unrated: postingFlags.priceVersionUnknown };
  const rating = rateCost(event.usage, event.units, { tier: event.serviceTier, batch: event.batch, requests: 1 }, sheet);
  return rating.kind === 'rated' ? { cost: rating.cost, unrated: null } : { cost: null, unrated: rating.reason };
}

/**
 * Whether the proxy states that nothing can have been billed: no provider was called, or the calls were never sent or were
 * answered with an error, which only the proxy knows. It says so with a cost of 0 that has no price version, and it holds
 * only where there is nothing to rate. An orphan is never free: its calls may have been made.
 */
function isStatedFree(event: RequestSettled): boolean {
  return (
    event.costPico === '0' &&
    event.priceVersion === null &&
    event.unrated === null &&
    event.usage === null &&
    event.units === null &&
    event.outcome !== 'orphaned'
  );
}

const NO_HOLDS: readonly PostedHold[] = [];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The holds of an event, for its leases. The ledger's own rating stands in for the proxy's wherever the hold's cost is what the proxy
 * rated; tokens, requests and provisional costs are as the proxy says. Null where an id is none.
 */
function postedHolds(event: RequestSettled, organizationId: string, cost: PicoUsd | null): readonly PostedHold[] | null {
  const node = knownUuid('node', event.node);
  if (node === null) return null;
  const holds: PostedHold[] = [];
  for (const hold of event.holds) {
    if (!UUID.test(hold.counter) || hold.debit.startsWith('-') || hold.cost.startsWith('-')) return null;
    const posted = postedCost(hold.cost, event, cost);
    holds.push({ organizationId, counter: hold.counter, node, epoch: BigInt(event.epoch), debit: BigInt(hold.debit), cost: posted });
  }
  return holds;
}

const NO_COUNTS: readonly PostedCount[] = [];

function postedCounts(
  event: RequestSettled,
  counted: NonNullable<RequestSettled['counted']>,
  organizationId: string,
  cost: PicoUsd | null,
): readonly PostedCount[] | null {
  const counts: PostedCount[] = [];
  for (const { limit, group, cost: told } of counted) {
    if (!UUID.test(limit) || told.startsWith('-')) return null;
    counts.push({ organizationId, limit, group, cost: postedCost(told, event, cost) });
  }
  return counts;
}

function postedCost(told: string, event: RequestSettled, cost: PicoUsd | null): bigint {
  return cost !== null && told === event.costPico ? cost : BigInt(told);
}

function isOutOfRange(timeMs: number, nowMs: number): boolean {
  return timeMs < nowMs - maxBehindMs || timeMs > nowMs + maxAheadMs;
}

function optionalUuid(kind: 'team' | 'user' | 'serviceAccount' | 'route', id: string | null): string | null {
  return id === null ? null : knownUuid(kind, id);
}

function count(tokens: number | null | undefined): bigint | null {
  return tokens == null ? null : BigInt(tokens);
}
