import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { RequestSettled, RequestSubject } from '../../../schema/events/request-settled.v1.ts';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { mintId } from '../../../schema/values/ids.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import type { PriceSheet } from '../../../services/pricing/price-sheet.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';

/** 2.50 USD a million input tokens, 10 USD a million output tokens. */
export const testSheet: PriceSheet = sheetFromPerMillion({ input: '2.5', output: '10' });
const testPriceVersion = priceVersion(testSheet);
/** Cost of the usage in {@link settledEvent} by {@link testSheet}: 1,000 × 2.5e-6 + 200 × 1e-5 USD. */
export const testCost = 4_500_000_000n;

export function anId(kind: Parameters<typeof mintId>[0], timeMs = Date.now()): string {
  return mintId(kind, timeMs, randomBytes(10));
}

/** A request that succeeded: 1,000 tokens in, 200 out, rated by {@link testSheet}. */
export function settledEvent(overrides: Partial<RequestSettled> = {}): RequestSettled {
  return {
    version: 1,
    requestId: anId('request'),
    organizationId: anId('organization'),
    apiKeyId: anId('apiKey'),
    teamId: null,
    userId: null,
    serviceAccountId: null,
    tags: {},
    endpoint: 'chat.completions',
    modelRequested: 'sim/echo',
    model: 'sim/echo',
    provider: 'sim',
    modelAnswered: 'echo',
    routeId: null,
    stream: false,
    outcome: 'succeeded',
    status: 200,
    errorCode: null,
    finishReason: 'stop',
    attempts: [
      {
        provider: 'sim',
        upstreamModel: 'echo',
        startMs: 1,
        durationMs: 100,
        status: 200,
        outcome: 'succeeded',
        errorCode: null,
        providerRequestId: 'chatcmpl-1',
      },
    ],
    usage: { ...UNKNOWN_USAGE, input: 1_000, output: 200 },
    units: null,
    usageSource: 'provider',
    rawUsage: '{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}',
    usageFlags: [],
    serviceTier: null,
    batch: false,
    costPico: String(testCost),
    priceVersion: testPriceVersion,
    unrated: null,
    holds: [],
    decision: { reason: 'only_candidate', candidates: ['sim/echo'] },
    timings: { admittedAt: Date.now(), firstByteMs: 40, totalMs: 120, overheadMs: 1 },
    sdkRetryCount: null,
    subjectCommitment: null,
    node: 'test',
    epoch: 1,
    ...overrides,
  };
}

/** The record of an event at a place in the log. */
export function recordOf(
  event: RequestSettled,
  place: { readonly offset: bigint; readonly partition?: number; readonly timeMs?: number; readonly subject?: RequestSubject },
): StoredRecord {
  const { offset, partition = 0, timeMs = Date.now(), subject } = place;
  return {
    ...encodeRequestSettled(event, {
      source: '/turnpike/proxy/test/1',
      partition,
      timeMs,
      subject: subject === undefined ? null : JSON.stringify(subject),
    }),
    offset,
  };
}

/** So many succeeded requests of one key, at offsets from `from` on. */
export function recordsOf(
  count: number,
  overrides: Partial<RequestSettled> = {},
  place: { from?: bigint; partition?: number } = {},
): StoredRecord[] {
  const { from = 0n, partition = 0 } = place;
  const who = { organizationId: anId('organization'), apiKeyId: anId('apiKey'), ...overrides };
  return Array.from({ length: count }, (_, index) => recordOf(settledEvent(who), { offset: from + BigInt(index), partition }));
}

/** Puts {@link testSheet} where the ledger finds it. */
export async function addTestPrice(db: Kysely<Database>): Promise<void> {
  await db
    .insertInto('price_versions')
    .values({ name: testPriceVersion, sheet: JSON.stringify(testSheet), created_at: new Date() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
