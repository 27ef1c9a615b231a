import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { createLookAtLimits } from '../../../services/proxy/budgets/look-at-limits.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { makeOrganization } from '../../harness/registry.ts';
import {
  brokenBooks,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  organizationId,
  setTestClock,
  stopClock,
} from '../../leases/sql/lease-functions.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, anId, recordOf, settledEvent, testCost } from './settled-records.ts';

let database: TestDatabase;
let offset = 0n;

beforeEach(async () => {
  database = await createTestDatabase();
  offset = 0n;
  await addTestPrice(database.writer.db);
  await insertOrganization(database.owner.db);
});
afterEach(() => database.drop());

type Counted = NonNullable<RequestSettled['counted']>;

const eventOf = (counted: Counted, overrides: Partial<RequestSettled> = {}): RequestSettled =>
  settledEvent({ organizationId: idFromUuid('organization', organizationId), node: anId('node'), counted, ...overrides });

async function post(...events: readonly RequestSettled[]) {
  const { epoch } = await assign(database.writer);
  const records = events.map((event) => {
    offset += 1n;
    return recordOf(event, { offset });
  });
  return postRecords(database.writer, records, { epoch });
}

async function counters() {
  const rows = await database.writer.db
    .selectFrom('counter_states')
    .select(['limit_id', 'window_key', 'group_key', 'settled', 'held', 'committed'])
    .orderBy('limit_id')
    .orderBy('window_key')
    .orderBy('group_key')
    .execute();
  return rows.map(({ limit_id, window_key, group_key, settled, held, committed }) => {
    expect([held, committed]).toEqual([0n, 0n]);
    return [limit_id, window_key, group_key, settled];
  });
}

const look = async (limit: string, group = '') => (await createLookAtLimits(database.writer.db)([{ limit, group }]))[0];

test('what hold nothing is counted with its entry by limit and group, once, and at the rating of the ledger', async () => {
  const limit = await insertLimit(database.writer.db, { number: 1, amount: 10n ** 12n });
  const other = await insertLimit(database.writer.db, { number: 2, amount: 5n });
  const wrong = (testCost - 1n).toString();
  const first = eventOf(
    [
      { limit, group: '["a"]', cost: wrong },
      { limit: other, group: '', cost: '1' },
    ],
    { costPico: wrong },
  );
  const second = eventOf([{ limit, group: '["b"]', cost: '7' }]);
  await post(first, second, eventOf([{ limit, group: '["b"]', cost: '3' }]));
  const counted = [
    [limit, '0:lifetime', '["a"]', testCost],
    [limit, '0:lifetime', '["b"]', 10n],
    [other, '0:lifetime', '', 1n],
  ];
  expect(await counters()).toEqual(counted);
  await post(first, second);
  expect(await counters()).toEqual(counted);
  expect(await look(limit, '["b"]')).toEqual({ amount: 10n ** 12n, settled: 10n });
  expect(await look(limit, '["c"]')).toEqual({ amount: 10n ** 12n, settled: 0n });
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('nothing is counted of a limit of another organization, or of one that is not there, and the entry is booked all the same', async () => {
  const limit = await insertLimit(database.writer.db, { number: 1, amount: 5n });
  const stranger = idFromUuid('organization', await makeOrganization(database.writer.db, 'other'));
  const unknown = '00000000-0000-7000-8000-0000000000ff';
  const outcome = await post(
    eventOf([{ limit, group: '', cost: '1' }], { organizationId: stranger }),
    eventOf([{ limit: unknown, group: '', cost: '1' }]),
  );
  expect([outcome.posted.length, outcome.dead.length]).toEqual([2, 0]);
  expect(await counters()).toEqual([]);
  expect(await look(unknown)).toBeNull();
});

test('a count is in the window of its posting, and leaves a rolling one when a look says so', async () => {
  const start = new Date('2026-03-31T23:59:50Z');
  await stopClock(database, start);
  const month = await insertLimit(database.writer.db, { number: 1, amount: 100n, kind: 'month' });
  const hour = await insertLimit(database.writer.db, { number: 2, amount: 100n, kind: 'rolling', windowSeconds: 3_600 });
  const count = (cost: string) =>
    eventOf([
      { limit: month, group: '', cost },
      { limit: hour, group: '', cost },
    ]);
  await post(count('5'));
  await setTestClock(database, new Date('2026-04-01T00:00:05Z'));
  await post(count('7'));
  expect(await counters()).toEqual([
    [month, '0:month:2026-03-01T00:00:00Z', '', 5n],
    [month, '0:month:2026-04-01T00:00:00Z', '', 7n],
    [hour, '0:rolling', '', 12n],
  ]);
  expect([await look(month), await look(hour)]).toEqual([
    { amount: 100n, settled: 7n },
    { amount: 100n, settled: 12n },
  ]);
  // The minute of 23:59 has left the hour by 1:00, that of 0:00 has not.
  await setTestClock(database, new Date('2026-04-01T01:00:30Z'));
  expect((await look(hour))?.settled).toBe(7n);
  await post(count('1'));
  expect((await counters()).at(-1)).toEqual([hour, '0:rolling', '', 8n]);
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('a budget that enforces from now on has no room for what was counted before', async () => {
  const limit = await insertLimit(database.writer.db, { number: 1, amount: 10n });
  await post(eventOf([{ limit, group: '', cost: '7' }]));
  const leases = leaseFunctions(database.writer.db);
  const node = '00000000-0000-7000-8000-0000000000b1';
  await leases.register(node, 1, 'incarnation');
  const ask = async (need: bigint) => (await leases.ask(node, 1, [{ limit, need, known: 0n }]))[0];
  expect(await ask(4n)).toMatchObject({ outcome: 'short', unsettled: 3n });
  expect(await ask(3n)).toMatchObject({ outcome: 'granted', granted: 3n });
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});
