import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import { MAX_TOKENS } from '../../../schema/events/request-settled.v1.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import type { Poster } from '../../../services/ledger/poster.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { recomputeRollups } from '../../../services/ledger/recompute-rollups.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { HOSTILITIES, withJson } from './hostile-records.ts';
import { assign, silentLog, topicName } from './posting.ts';
import { addTestPrice, anId, recordOf, recordsOf, settledEvent } from './settled-records.ts';

let database: TestDatabase;
let poster: Poster;
/** Each test has partitions of its own. */
let partitions = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  // Constraints that no parser knows of.
  await database.owner.execute("alter table ledger_entries add constraint no_poison check (error_code <> 'poison')");
  poster = createPoster({
    store: createPostgresLedgerStore(database.writer),
    topic: topicName,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createLedgerMetrics(new Registry()),
    onPosted: () => {},
  });
});
afterAll(async () => {
  poster.giveUp();
  await database.drop();
});

async function freshPartition(): Promise<{ partition: number; epoch: bigint }> {
  partitions += 1;
  return { partition: partitions, epoch: (await assign(database.writer, partitions)).epoch };
}

/** What the database holds of a partition: bodies of entries and letters by offset, and where it goes on. */
async function booksOf(partition: number) {
  const { db } = database.owner;
  const entries = await db
    .selectFrom('ledger_entries')
    .select(['log_offset', 'body', 'entry_id'])
    .where('log_partition', '=', partition)
    .orderBy('log_offset')
    .execute();
  const letters = await db.selectFrom('dead_letters').selectAll().where('partition', '=', partition).orderBy('log_offset').execute();
  const { next_offset } = await db
    .selectFrom('log_offsets')
    .select('next_offset')
    .where('partition', '=', partition)
    .executeTakeFirstOrThrow();
  return { entries, letters, nextOffset: next_offset };
}

const placed = (records: readonly StoredRecord[], from = 0n): StoredRecord[] =>
  records.map((record, index) => ({ ...record, offset: from + BigInt(index) }));
const bodies = (records: readonly StoredRecord[]): string[] => records.map(({ value }) => value.toString('base64'));

test.each(HOSTILITIES)(
  '%s: a dead letter with its bytes; what stands before, beside and after it is posted',
  async (_name, make, reason) => {
    const { partition, epoch } = await freshPartition();
    const [first, second, third, fourth] = recordsOf(4, {}, { partition });
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error('no records');
    const bad = make(second);
    await poster.post(partition, epoch, [first, bad, third]);
    await poster.post(partition, epoch, [fourth]);

    const { entries, letters, nextOffset } = await booksOf(partition);
    expect(letters.map(({ reason: found, value, log_offset }) => [found, value?.equals(bad.value), log_offset])).toEqual([
      [reason, true, 1n],
    ]);
    expect(entries.map(({ body }) => body)).toEqual([first.value, third.value, fourth.value]);
    expect(nextOffset).toBe(4n);
    expect(letters[0]?.detail).not.toContain(bad.key);
  },
);

test('an id used again with other bytes: a dead letter, and the first stays; the same bytes again: neither', async () => {
  const { partition, epoch } = await freshPartition();
  const event = settledEvent();
  const original = recordOf(event, { offset: 0n, partition });
  const forged = recordOf({ ...event, status: 500 }, { offset: 2n, partition });
  await poster.post(partition, epoch, [original, { ...original, offset: 1n }, forged, ...recordsOf(2, {}, { from: 3n, partition })]);
  const { entries, letters, nextOffset } = await booksOf(partition);
  expect(letters).toMatchObject([{ reason: 'id_reuse', value: forged.value, log_offset: 2n }]);
  expect(entries[0]?.body).toEqual(original.value);
  expect([entries.length, nextOffset]).toEqual([3, 5n]);
});

test('events of one key that come out of order are all posted, each at its own time, and none is a dead letter', async () => {
  const { partition, epoch } = await freshPartition();
  const who = { organizationId: anId('organization'), apiKeyId: anId('apiKey') };
  const times = [5, 1, 4, 2, 3].map((minute) => Date.UTC(2026, 10, 20, 12, minute));
  const records = times.map((timeMs, index) =>
    recordOf(settledEvent({ ...who, requestId: anId('request', timeMs) }), { offset: BigInt(index), partition, timeMs }),
  );
  await poster.post(partition, epoch, records);
  const { entries, letters } = await booksOf(partition);
  expect([entries.length, letters]).toEqual([5, []]);
  const minutes = await database.owner.db
    .selectFrom('usage_minute')
    .select(['bucket', 'requests'])
    .where('api_key_id', '=', uuidFromId('apiKey', who.apiKeyId) ?? '')
    .orderBy('bucket')
    .execute();
  expect(minutes).toEqual([...times].sort((a, b) => a - b).map((timeMs) => ({ bucket: new Date(timeMs), requests: 1n })));
});

test('of a batch of 10,000 one row violates a constraint: it is a dead letter, 9,999 are posted', async () => {
  const { partition, epoch } = await freshPartition();
  const records = recordsOf(10_000, {}, { partition });
  const poison = recordOf(settledEvent({ errorCode: 'poison' }), { offset: 7_654n, partition });
  records[7_654] = poison;
  await poster.post(partition, epoch, records);
  const { entries, letters, nextOffset } = await booksOf(partition);
  expect(letters).toMatchObject([{ reason: 'refused_by_database', detail: '23514 no_poison', value: poison.value, log_offset: 7_654n }]);
  expect(entries.map(({ log_offset }) => log_offset)).toEqual(records.flatMap(({ offset }) => (offset === 7_654n ? [] : [offset])));
  expect(nextOffset).toBe(10_000n);
}, 120_000);

test('a batch in which every other row violates a constraint loses no row, neither kind', async () => {
  const { partition, epoch } = await freshPartition();
  const records = recordsOf(40, {}, { partition }).map((record) =>
    record.offset % 2n === 0n ? record : recordOf(settledEvent({ errorCode: 'poison' }), { offset: record.offset, partition }),
  );
  await poster.post(partition, epoch, records);
  const { entries, letters } = await booksOf(partition);
  expect([entries.length, letters.length]).toEqual([20, 20]);
});

test('the most tokens that an event may tell of, from more requests than a sum of 2^63 would bear, are all posted', async () => {
  const { partition, epoch } = await freshPartition();
  const usage = { ...UNKNOWN_USAGE, input: MAX_TOKENS, output: MAX_TOKENS };
  await poster.post(partition, epoch, recordsOf(1_100, { usage }, { partition }));
  const { entries, letters } = await booksOf(partition);
  expect([entries.length, letters.length]).toEqual([1_100, 0]);
});

/** JSON that may or may not be what a field wants. */
const hostileJson = fc.oneof(
  fc.constantFrom('null', 'true', '0', '-0', '-1', '0.5', '1e400', '9223372036854775808', '9007199254740993', '""', '{}', '[]', '[null]'),
  fc.constantFrom(
    String.raw`"\u0000"`,
    String.raw`"\ud800"`,
    String.raw`"\udfff\ud800"`,
    '"2026-13-45T99:99:99Z"',
    '"__proto__"',
    '{"__proto__":1}',
    '{"a":1,"a":2}',
  ),
  fc.integer({ min: 1, max: 70_000 }).map((length) => JSON.stringify('x'.repeat(length))),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.json(),
);
const paths = [...pathsOf(settledEvent({ tags: { a: 'b' } }), [])];
/** A record of which nothing is known but that it is one: a field of an event replaced, or bytes. */
const doubtful = fc.oneof(
  fc.tuple(fc.constantFrom(...paths), hostileJson).map(
    ([path, text]) =>
      (good: StoredRecord): StoredRecord =>
        withJson(good, path, text),
  ),
  fc.uint8Array({ maxLength: 200 }).map(
    (value) =>
      (good: StoredRecord): StoredRecord => ({ ...good, value: Buffer.from(value) }),
  ),
  fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 5 }).map(
    (headers) =>
      (good: StoredRecord): StoredRecord => ({ ...good, headers: { ...good.headers, ...headers } }),
  ),
);
/** Where the garbage of a batch stands, and what it is: a hundredth of it. */
const batchSize = 300;
const garbage = fc.uniqueArray(
  fc.record({
    at: fc.nat(batchSize - 1),
    what: fc.oneof(
      fc.constantFrom(...HOSTILITIES).map(([, make]) => ({ make, surely: true })),
      doubtful.map((make) => ({ make, surely: false })),
    ),
  }),
  { minLength: 3, maxLength: 3, selector: ({ at }) => at },
);

function* pathsOf(value: unknown, above: readonly (string | number)[]): Generator<readonly (string | number)[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    // The bytes are to be somebody's: another id is another request, which is no garbage.
    if (name === 'requestId') continue;
    const path = [...above, Array.isArray(value) ? Number(name) : name];
    yield path;
    yield* pathsOf(member, path);
  }
}

test('whatever a hundredth of the records is, the others are posted, nothing blocks, and no byte is lost', async () => {
  await fc.assert(
    fc.asyncProperty(garbage, async (bad) => {
      const { partition, epoch } = await freshPartition();
      const records = placed(recordsOf(batchSize, { tags: { a: 'b' } }, { partition }));
      for (const { at, what } of bad) records[at] = { ...what.make(records[at] ?? never()), offset: BigInt(at), partition };
      await poster.post(partition, epoch, records);
      expect(poster.trouble()).toBeNull();

      const { entries, letters, nextOffset } = await booksOf(partition);
      expect(nextOffset).toBe(BigInt(batchSize));
      // Each record is in one of the two, with its bytes.
      const kept = [...entries.map(({ log_offset, body }) => ({ log_offset, value: body })), ...letters].sort((a, b) =>
        Number((a.log_offset ?? 0n) - (b.log_offset ?? 0n)),
      );
      expect(kept.map(({ log_offset }) => log_offset)).toEqual(records.map(({ offset }) => offset));
      expect(kept.map(({ value }) => value?.toString('base64'))).toEqual(bodies(records));
      const dead = new Set(letters.map(({ log_offset }) => Number(log_offset)));
      for (const { at, what } of bad) if (what.surely) expect([at, dead.has(at)]).toEqual([at, true]);
      expect([...dead].filter((at) => bad.every((one) => one.at !== at))).toEqual([]);
    }),
    { numRuns: 40, endOnFailure: true },
  );
  const everything = { from: new Date(0), until: new Date(Date.UTC(2200, 0)) };
  for (const grain of ROLLUP_GRAINS) await expect(recomputeRollups(database.owner.db, grain, everything), grain).resolves.toEqual([]);
}, 120_000);

function never(): never {
  throw new Error('no record there');
}
