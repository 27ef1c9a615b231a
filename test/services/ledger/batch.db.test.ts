import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { uuidFromId, uuidTimeMs } from '../../../schema/values/ids.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, anId, recordOf, recordsOf, settledEvent, testCost } from './settled-records.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
});
afterEach(() => database.drop());

async function totals(): Promise<{ entries: number; requests: bigint; cost: bigint; offset: bigint }> {
  const { rows } = await sql<{ entries: bigint; requests: bigint | null; cost: bigint | null; next_offset: bigint }>`
    select (select count(*) from ledger_entries) as entries, (select sum(requests) from usage_day) as requests,
      (select sum(cost) from usage_day) as cost, (select next_offset from log_offsets where partition = 0) as next_offset`.execute(
    database.owner.db,
  );
  const [row] = rows;
  return { entries: Number(row?.entries), requests: row?.requests ?? 0n, cost: row?.cost ?? 0n, offset: row?.next_offset ?? -1n };
}

test('an event becomes an entry with its bytes, its rated cost and a time out of its id', async () => {
  const { epoch } = await assign(database.writer);
  const event = settledEvent({
    teamId: anId('team'),
    tags: { project: 'atlas', 'quo"te\\d': '{a,b}' },
    usageFlags: ['total_mismatch', 'od"d,'],
  });
  const record = recordOf(event, { offset: 0n });
  await postRecords(database.writer, [record], { epoch });

  const requestId = uuidFromId('request', event.requestId) ?? '';
  const entry = await database.writer.db.selectFrom('ledger_entries').selectAll().executeTakeFirstOrThrow();
  expect(entry).toMatchObject({
    entry_id: requestId,
    request_id: requestId,
    occurred_at: new Date(uuidTimeMs(requestId)),
    organization_id: uuidFromId('organization', event.organizationId),
    api_key_id: uuidFromId('apiKey', event.apiKeyId),
    team_id: uuidFromId('team', event.teamId ?? ''),
    kind: 'usage',
    outcome: 'succeeded',
    tokens_input: 1_000n,
    tokens_output: 200n,
    tokens_cache_read: null,
    cost: testCost,
    proxy_cost: testCost,
    unrated: null,
    flags: ['total_mismatch', 'od"d,'],
    tags: { project: 'atlas', 'quo"te\\d': '{a,b}' },
    log_partition: 0,
    log_offset: 0n,
    body: record.value,
    body_hash: hash('sha256', record.value, 'buffer'),
  });
  await expect(totals()).resolves.toEqual({ entries: 1, requests: 1n, cost: testCost, offset: 1n });
});

test('redelivery posts nothing twice', async () => {
  const { epoch } = await assign(database.writer);
  const records = recordsOf(50);
  await postRecords(database.writer, records, { epoch });
  const before = await totals();

  // The same offsets again, as after a lost acknowledgement, and the same events appended once more by their producer.
  const again = await postRecords(database.writer, records, { epoch });
  const resent = await postRecords(
    database.writer,
    records.map((record) => ({ ...record, offset: record.offset + 50n })),
    { epoch },
  );

  expect(again).toMatchObject({ posted: [], duplicates: 0, alreadyDone: 50 });
  expect(resent).toMatchObject({ posted: [], duplicates: 50, dead: [] });
  await expect(totals()).resolves.toEqual({ ...before, offset: 100n });
});

test('an event twice in one batch is posted once', async () => {
  const { epoch } = await assign(database.writer);
  const [record] = recordsOf(1);
  if (record === undefined) throw new Error('no record');
  const outcome = await postRecords(database.writer, [record, { ...record, offset: 1n }], { epoch });
  expect(outcome).toMatchObject({ duplicates: 1, dead: [] });
  await expect(totals()).resolves.toEqual({ entries: 1, requests: 1n, cost: testCost, offset: 2n });
});

test('a crash between commit and acknowledgement, followed by a reassignment, is a no-op', async () => {
  const first = await assign(database.writer, 0, 'first');
  const records = recordsOf(20);
  await postRecords(database.writer, records, { epoch: first.epoch });
  const before = await totals();

  const second = await assign(database.writer, 0, 'second');
  expect(second.nextOffset).toBe(20n);
  const outcome = await postRecords(database.writer, records, { epoch: second.epoch });

  expect(outcome).toMatchObject({ posted: [], alreadyDone: 20, fenced: [] });
  await expect(totals()).resolves.toEqual(before);
});

test("a fenced zombie's batch writes nothing", async () => {
  const zombie = await assign(database.writer, 0, 'zombie');
  await assign(database.writer, 0, 'successor');
  const before = await totals();

  const outcome = await postRecords(database.writer, [...recordsOf(10), ...garbage(10n)], { epoch: zombie.epoch });

  expect(outcome).toMatchObject({ posted: [], dead: [], fenced: [0] });
  await expect(totals()).resolves.toEqual(before);
  await expect(database.writer.db.selectFrom('dead_letters').selectAll().execute()).resolves.toEqual([]);
});

test('an id used again with other bytes becomes a dead letter id_reuse and the first entry stays', async () => {
  const { epoch } = await assign(database.writer);
  const event = settledEvent();
  const [original, forged] = [recordOf(event, { offset: 0n }), recordOf({ ...event, status: 201 }, { offset: 1n })];
  await postRecords(database.writer, [original], { epoch });
  const before = await totals();

  // Once against the books, once within a batch.
  const other = settledEvent();
  const outcome = await postRecords(
    database.writer,
    [forged, recordOf(other, { offset: 2n }), recordOf({ ...other, endpoint: 'embeddings' }, { offset: 3n })],
    { epoch },
  );

  expect(outcome.dead.map(({ reason }) => reason)).toEqual(['id_reuse', 'id_reuse']);
  await expect(totals()).resolves.toEqual({ entries: 2, requests: 2n, cost: before.cost * 2n, offset: 4n });
  const kept = await database.writer.db.selectFrom('ledger_entries').select(['status', 'endpoint']).orderBy('log_offset').execute();
  expect(kept).toEqual([
    { status: 200, endpoint: 'chat.completions' },
    { status: 200, endpoint: 'chat.completions' },
  ]);
  const letters = await database.writer.db.selectFrom('dead_letters').selectAll().orderBy('log_offset').execute();
  expect(letters[0]).toMatchObject({
    reason: 'id_reuse',
    log_offset: 1n,
    value: forged?.value,
    headers: forged?.headers,
    record_key: forged?.key,
    organization_id: uuidFromId('organization', event.organizationId),
  });
});

test('what cannot be read is kept to the byte, under the reason, and does not stop the others', async () => {
  const { epoch } = await assign(database.writer);
  const good = recordsOf(3);
  const [first, second, third] = good;
  if (first === undefined || second === undefined || third === undefined) throw new Error('no records');
  const bad = garbage(1n);
  await postRecords(database.writer, [first, ...bad, { ...second, offset: 90n }, { ...third, offset: 91n }], { epoch });

  const letters = await database.writer.db.selectFrom('dead_letters').selectAll().orderBy('log_offset').execute();
  expect(letters.map(({ value }) => value)).toEqual(bad.map(({ value }) => value));
  expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['unparseable', 'wrong_type', 'id_mismatch']));
  await expect(totals()).resolves.toMatchObject({ entries: 3, offset: 92n });
});

test('personal data stands beside the ledger and can be erased', async () => {
  const { epoch } = await assign(database.writer);
  const event = settledEvent();
  const subject = { salt: 'ab'.repeat(16), endUser: 'alice@example.com', address: '192.0.2.7', metadata: { ticket: '"42"' } };
  await postRecords(database.writer, [recordOf(event, { offset: 0n, subject })], { epoch });

  const stored = await database.writer.db.selectFrom('request_subject').selectAll().executeTakeFirstOrThrow();
  expect(stored).toMatchObject({
    end_user: 'alice@example.com',
    address: '192.0.2.7',
    metadata: { ticket: '"42"' },
    salt: Buffer.alloc(16, 0xab),
  });
  const { body } = await database.writer.db.selectFrom('ledger_entries').select('body').executeTakeFirstOrThrow();
  expect(body.includes('alice')).toBe(false);
  await database.writer.db.deleteFrom('request_subject').execute();
});

test('a batch over a month boundary lands in both months, and far times get their partitions', async () => {
  const { epoch } = await assign(database.writer);
  const times = ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '1971-03-04T05:06:07.008Z', '2093-01-01T00:00:00.000Z'];
  const records = times.map((time, index) =>
    recordOf(settledEvent({ requestId: anId('request', Date.parse(time)) }), { offset: BigInt(index) }),
  );
  await postRecords(database.writer, records, { epoch });

  const { rows } = await sql<{
    place: string;
    flags: string[];
  }>`select tableoid::regclass::text as place, flags from ledger_entries order by log_offset`.execute(database.owner.db);
  expect(rows.map(({ place }) => place)).toEqual(['2026_11', '2026_12', '1971_03', '2093_01'].map((month) => `ledger_entries_${month}`));
  expect(rows.slice(2).map(({ flags }) => flags)).toEqual([['time_out_of_range'], ['time_out_of_range']]);
  // The new partitions are guarded like the old ones.
  await expect(database.owner.execute('truncate ledger_entries_2093_01')).rejects.toThrow('append-only');
});

/** Records no ledger can read: broken bytes, foreign types, ids that do not belong together. */
function garbage(from: bigint): ReturnType<typeof recordOf>[] {
  const good = recordOf(settledEvent(), { offset: 0n });
  const values = [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"version":1'), Buffer.from('[]'), Buffer.alloc(0)];
  return [
    ...values.map((value) => ({ ...good, value })),
    { ...good, headers: { 'a\0b': 'c\0d' } },
    { ...good, headers: { ...good.headers, ce_id: anId('request') } },
  ].map((record, index) => ({ ...record, offset: from + BigInt(index) }));
}
