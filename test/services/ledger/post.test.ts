import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { MAX_TOKENS } from '../../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../../schema/events/request-settled-parser.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import { post } from '../../../services/ledger/post.ts';
import type { PriceSheet } from '../../../services/pricing/price-sheet.ts';
import { anId, recordOf, settledEvent, testCost, testSheet } from './settled-records.ts';

const now = Date.now();

function entryOf(overrides: Partial<RequestSettled>, options: { sheet?: PriceSheet | null; timeMs?: number } = {}): LedgerEntryInsert {
  const { sheet = testSheet, timeMs = now } = options;
  const record = recordOf(settledEvent(overrides), { offset: 7n, partition: 3, timeMs });
  const parsed = parseRequestSettled(record);
  if (!parsed.ok) throw new Error(parsed.detail);
  const posting = post({ ...parsed, record, bodyHash: hash('sha256', record.value, 'buffer') }, sheet, now);
  if (!posting.ok) throw new Error(posting.reason);
  return posting.entry;
}

test('the ledger rates again and books its own cost', () => {
  expect(entryOf({})).toMatchObject({ cost: testCost, proxy_cost: testCost, unrated: null, flags: [], log_partition: 3, log_offset: 7n });
});

test.each([
  ['another amount', { costPico: '1' }, 1n],
  ['none', { costPico: null, unrated: 'no_price' }, null],
])("a proxy's cost of %s is kept beside the ledger's and flagged", (_name, overrides, proxyCost) => {
  expect(entryOf(overrides)).toMatchObject({ cost: testCost, proxy_cost: proxyCost, flags: ['cost_differs'] });
});

test('a price version the registry does not hold leaves the request unrated and flagged, never 0', () => {
  expect(entryOf({}, { sheet: null })).toMatchObject({
    cost: null,
    unrated: 'price_version_unknown',
    flags: ['price_version_unknown', 'cost_differs'],
  });
});

test('missing usage is unrated and its tokens are null, never 0', () => {
  const entry = entryOf({ usage: null, usageSource: null, costPico: null, unrated: 'usage_missing', priceVersion: null });
  expect(entry).toMatchObject({ cost: null, unrated: 'usage_missing', tokens_input: null, tokens_output: null, flags: [] });
});

test('what cannot have been billed costs 0 without a price version', () => {
  const free = { usage: null, usageSource: null, costPico: '0', priceVersion: null, unrated: null, attempts: [] };
  expect(entryOf({ ...free, outcome: 'rejected', status: 429 })).toMatchObject({ cost: 0n, unrated: null, flags: [] });
});

test('an orphan is never free', () => {
  const orphan = { usage: null, usageSource: null, priceVersion: null, unrated: null, outcome: 'orphaned', status: null } as const;
  expect(entryOf({ ...orphan, costPico: '0' })).toMatchObject({ cost: null, unrated: 'no_price', flags: ['cost_differs'] });
  expect(entryOf({ ...orphan, costPico: null, unrated: 'orphaned' })).toMatchObject({ cost: null, unrated: 'orphaned', flags: [] });
});

test('a zero with usage beside it is rated all the same', () => {
  expect(entryOf({ costPico: '0', priceVersion: null })).toMatchObject({ cost: null, unrated: 'no_price', flags: ['cost_differs'] });
});

const day = 86_400_000;
test.each([
  [-35 * day, []],
  [-35 * day - 1_000, ['time_out_of_range']],
  [5 * 60_000, []],
  [5 * 60_000 + 1_000, ['time_out_of_range']],
])("a producer's time %d ms from ours is booked, with flags %j", (shiftMs, flags) => {
  expect(entryOf({}, { timeMs: now + shiftMs }).flags).toEqual(flags);
  const entry = entryOf({ requestId: anId('request', now + shiftMs) });
  expect(entry.flags).toEqual(flags);
  expect(entry.occurred_at.getTime()).toBe(now + shiftMs);
});

test('an id from a time no calendar of the books has is refused', () => {
  expect(() => entryOf({ requestId: anId('request', Date.UTC(2200, 0)) })).toThrow('time_implausible');
});

test('every count of the event arrives in its own column', () => {
  const count = fc.option(fc.integer({ min: 0, max: MAX_TOKENS }));
  const usage = fc.record({
    input: count,
    cacheRead: count,
    cacheWrite5m: count,
    cacheWrite1h: count,
    inputAudio: count,
    inputImage: count,
    output: count,
    reasoning: count,
    outputAudio: count,
    outputImage: count,
  });
  fc.assert(
    fc.property(usage, (counts) => {
      const entry = entryOf({ usage: counts });
      const big = (value: number | null): bigint | null => (value === null ? null : BigInt(value));
      expect(entry).toMatchObject({
        tokens_input: big(counts.input),
        tokens_cache_read: big(counts.cacheRead),
        tokens_cache_write_5m: big(counts.cacheWrite5m),
        tokens_cache_write_1h: big(counts.cacheWrite1h),
        tokens_input_audio: big(counts.inputAudio),
        tokens_input_image: big(counts.inputImage),
        tokens_output: big(counts.output),
        tokens_reasoning: big(counts.reasoning),
        tokens_output_audio: big(counts.outputAudio),
        tokens_output_image: big(counts.outputImage),
      });
      expect((entry.cost === null) !== (entry.unrated === null)).toBe(true);
    }),
    { numRuns: 50 },
  );
});
