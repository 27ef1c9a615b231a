import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { EventLogConsumer, SubscribeOptions } from '../../../services/eventlog/event-log.ts';
import type { Consumer } from '../../../services/ledger/consume.ts';
import { startConsumer } from '../../../services/ledger/consume.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { refuseChangedPartitions } from '../../../services/ledger/refuse-changed-partitions.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { silentLog } from './posting.ts';
import { addTestPrice, recordsOf } from './settled-records.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
});
afterEach(() => database.drop());

/** A log under the test's hand: it hands out what it is told to and holds the offsets it is told to hold. */
function scriptedLog(): EventLogConsumer & {
  subscription: () => SubscribeOptions;
  holds: Map<number, { earliest: bigint; next: bigint }>;
} {
  let subscribed: SubscribeOptions | null = null;
  const holds = new Map(Array.from({ length: 12 }, (_, partition) => [partition, { earliest: 0n, next: 1_000n }]));
  return {
    holds,
    subscription: () => {
      if (subscribed === null) throw new Error('nobody has subscribed');
      return subscribed;
    },
    subscribe: async (options) => {
      subscribed = options;
      return { pause: () => {}, resume: () => {}, stop: async () => {} };
    },
    offsets: async () => holds,
    close: async () => {},
  };
}

async function consumer(
  eventLog: EventLogConsumer,
  options: { registry?: Registry; onConsumed?: (partition: number, next: bigint) => void } = {},
): Promise<Consumer> {
  const { registry = new Registry(), onConsumed = () => {} } = options;
  const metrics = createLedgerMetrics(registry);
  const common = { store: createPostgresLedgerStore(database.writer), clock: systemClock, log: silentLog, metrics };
  const poster = createPoster({ ...common, topic: REQUESTS_TOPIC.name, random: systemRandom, onPosted: () => {} });
  return startConsumer({ ...common, eventLog, topic: REQUESTS_TOPIC, group: 'ledger', owner: 'test', poster, onConsumed });
}

test('a partition goes on where the database says, and the log is told what it need not keep', async () => {
  const log = scriptedLog();
  const consumed: unknown[] = [];
  await consumer(log, { onConsumed: (...what) => consumed.push(what) });
  const { onAssigned, onBatch } = log.subscription();
  await expect(onAssigned(3)).resolves.toBe(0n);
  await onBatch({ partition: 3, records: recordsOf(7, {}, { partition: 3 }), highWater: 7n });
  await expect(onAssigned(3)).resolves.toBe(7n);
  expect(consumed).toEqual([[3, 7n]]);
});

test('a batch that was under way when its partition went to another owner writes nothing and is refused', async () => {
  const [first, second] = [scriptedLog(), scriptedLog()];
  await consumer(first);
  await consumer(second);
  await first.subscription().onAssigned(0);
  const records = recordsOf(5);
  await second.subscription().onAssigned(0);
  await expect(first.subscription().onBatch({ partition: 0, records, highWater: 5n })).rejects.toThrow('belongs to another owner');
  await expect(database.writer.db.selectFrom('ledger_entries').selectAll().execute()).resolves.toEqual([]);
  await second.subscription().onBatch({ partition: 0, records, highWater: 5n });
  await expect(database.writer.db.selectFrom('ledger_entries').select('entry_id').execute()).resolves.toHaveLength(5);
});

test.each([
  ['records between the books and the log are gone', { earliest: 15n, next: 20n }, '5'],
  ['the log ends before the books do', { earliest: 0n, next: 4n }, '6'],
])('when %s, the partition is refused with an alarm and never skipped', async (_name, holds, missing) => {
  const log = scriptedLog();
  const registry = new Registry();
  const { checks } = await consumer(log, { registry });
  const { onAssigned, onBatch } = log.subscription();
  await onAssigned(0);
  await onBatch({ partition: 0, records: recordsOf(10), highWater: 10n });

  log.holds.set(0, holds);
  await expect(onAssigned(0)).rejects.toThrow('the ledger stands at 10');
  await expect(onBatch({ partition: 0, records: recordsOf(1, {}, { from: holds.earliest }), highWater: 20n })).rejects.toThrow();
  expect(checks().find(({ name }) => name === 'event_log')?.reason).toContain('partition 0: the ledger stands at 10');
  expect(await registry.metrics()).toContain(`turnpike_ledger_gap_records{partition="0"} ${missing}`);
  await expect(onAssigned(1)).resolves.toBe(0n);

  log.holds.set(0, { earliest: 5n, next: 20n });
  await expect(onAssigned(0)).resolves.toBe(10n);
  expect(checks().find(({ name }) => name === 'event_log')?.reason).toBeNull();
});

test('a changed partition count is refused at start', async () => {
  const store = createPostgresLedgerStore(database.writer);
  await refuseChangedPartitions(store, REQUESTS_TOPIC);
  await expect(refuseChangedPartitions(store, { ...REQUESTS_TOPIC, partitions: 13 })).rejects.toThrow(
    'has 13 partitions, but the ledger was written with 12',
  );
  await refuseChangedPartitions(store, REQUESTS_TOPIC);
});
