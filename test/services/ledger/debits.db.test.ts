import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { keepHouse } from '../../../services/ledger/retention.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { leaseFunctions } from '../../leases/sql/lease-functions.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, anId, recordOf, settledEvent, testCost } from './settled-records.ts';

const counters = ['00000000-0000-8000-8000-000000000001', '00000000-0000-8000-8000-000000000002'] as const;
let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
});
afterEach(() => database.drop());

const holdOf = (counter: string, debit: bigint, cost = debit): RequestSettled['holds'][number] => ({
  counter,
  hold: '9000000000',
  debit: debit.toString(),
  cost: cost.toString(),
});

async function debits() {
  const { db } = database.writer;
  return {
    postings: await db
      .selectFrom('lease_postings')
      .select(['counter_id', 'node_id', 'epoch', 'posted'])
      .orderBy('counter_id')
      .orderBy('epoch')
      .execute(),
    totals: await db.selectFrom('counter_totals').select(['counter_id', 'settled', 'excess']).orderBy('counter_id').execute(),
  };
}

test('debits of entries are posted with them, by lease and counter, and those of a duplicate are not posted again', async () => {
  const { epoch } = await assign(database.writer);
  const node = anId('node');
  const holds = [holdOf(counters[0], testCost), holdOf(counters[1], 1n)];
  const one = recordOf(settledEvent({ node, epoch: 3, holds }), { offset: 0n });
  const two = recordOf(settledEvent({ node, epoch: 4, holds: [holdOf(counters[1], 5n, 7n)] }), { offset: 1n });
  await postRecords(database.writer, [one, two, recordOf(settledEvent(), { offset: 2n })], { epoch });
  const posted = await debits();
  const node_id = uuidFromId('node', node);
  expect(posted).toEqual({
    postings: [
      { counter_id: counters[0], node_id, epoch: 3n, posted: testCost },
      { counter_id: counters[1], node_id, epoch: 3n, posted: 1n },
      { counter_id: counters[1], node_id, epoch: 4n, posted: 5n },
    ],
    totals: [
      { counter_id: counters[0], settled: testCost, excess: 0n },
      { counter_id: counters[1], settled: 8n, excess: 2n },
    ],
  });
  await postRecords(database.writer, [{ ...one, offset: 3n }], { epoch });
  expect(await debits()).toEqual(posted);
});

test("a counter in USD settles at the ledger's own rating where the proxy's differs, any other at what the proxy says", async () => {
  const { epoch } = await assign(database.writer);
  const holds = [holdOf(counters[0], testCost - 1n), holdOf(counters[1], 1_200n)];
  const event = settledEvent({ node: anId('node'), holds, costPico: (testCost - 1n).toString() });
  await postRecords(database.writer, [recordOf(event, { offset: 0n })], { epoch });
  expect((await debits()).totals).toEqual([
    { counter_id: counters[0], settled: testCost, excess: 1n },
    { counter_id: counters[1], settled: 1_200n, excess: 0n },
  ]);
});

test('an event whose holds name no counter or no node becomes a dead letter, and the others are posted', async () => {
  const { epoch } = await assign(database.writer);
  const bad = [
    settledEvent({ node: anId('node'), holds: [holdOf('cnt_1', 1n)] }),
    settledEvent({ node: 'nobody', holds: [holdOf(counters[0], 1n)] }),
    settledEvent({ node: anId('node'), holds: [holdOf(counters[0], -1n)] }),
  ];
  const good = settledEvent({ node: anId('node'), holds: [holdOf(counters[0], 5n)] });
  const records = [...bad, good].map((event, index) => recordOf(event, { offset: BigInt(index) }));
  const outcome = await postRecords(database.writer, records, { epoch });
  expect([outcome.dead.map(({ reason }) => reason), outcome.posted.length]).toEqual([['id_malformed', 'id_malformed', 'id_malformed'], 1]);
  expect((await debits()).totals).toEqual([{ counter_id: counters[0], settled: 5n, excess: 0n }]);
});

test('house-keeping declares a proxy lost that nobody has seen for a day, and no other', async () => {
  const leases = leaseFunctions(database.writer.db);
  const nodes = [anId('node'), anId('node')].map((id) => uuidFromId('node', id) ?? '');
  for (const node of nodes) await leases.register(node, 1, 'incarnation');
  const [silent = '', living = ''] = nodes;
  await database.owner.execute(`update lease_nodes set seen_at = now() - interval '25 hours' where id = '${silent}'`);
  await keepHouse(database.writer.db, Date.now());
  const rows = await database.owner.db.selectFrom('lease_nodes').select(['id', 'lost_at']).execute();
  expect(rows.find(({ id }) => id === silent)?.lost_at).toBeInstanceOf(Date);
  expect(rows.find(({ id }) => id === living)?.lost_at).toBeNull();
});
