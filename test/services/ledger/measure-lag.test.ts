import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { EventLogConsumer, LogBatch, SubscribeOptions } from '../../../services/eventlog/event-log.ts';
import { measureLag } from '../../../services/ledger/measure-lag.ts';

const startMs = Date.UTC(2026, 10, 21, 12);

function world() {
  let nowMs = startMs;
  let subscribed: SubscribeOptions | null = null;
  const bare: EventLogConsumer = {
    subscribe: async (options) => {
      subscribed = options;
      return { pause: () => {}, resume: () => {}, stop: async () => {} };
    },
    offsets: async () => new Map(),
    close: async () => {},
  };
  const registry = new Registry();
  const consumer = measureLag(bare, { registry, clock: { now: () => nowMs, monotonic: () => nowMs } });
  return {
    consumer,
    /** Calls what the log would call. */
    log: (): SubscribeOptions => {
      if (subscribed === null) throw new Error('nobody subscribed');
      return subscribed;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    lag: async () =>
      Object.fromEntries(
        (await registry.metrics())
          .split('\n')
          .filter((line) => line.startsWith('turnpike_ledger_oldest_unposted_seconds{'))
          .map((line) => [/partition="(\d+)"/.exec(line)?.[1], Number(line.slice(line.lastIndexOf(' ')))]),
      ),
  };
}

const record = (offset: bigint, settledMs: number | null): StoredRecord => ({
  key: 'key_a',
  partition: 3,
  offset,
  headers: settledMs === null ? {} : { ce_time: new Date(settledMs).toISOString() },
  value: Buffer.alloc(0),
});
const batch = (highWater: bigint, ...records: StoredRecord[]): LogBatch => ({ partition: 3, records, highWater });

async function subscribe(consumer: EventLogConsumer, onBatch: () => Promise<void>): Promise<void> {
  await consumer.subscribe({
    topic: REQUESTS_TOPIC,
    group: 'test',
    maxBatchRecords: 10,
    maxBatchBytes: 1_000,
    onAssigned: async () => 0n,
    onRevoked: () => {},
    onBatch,
    onError: () => {},
  });
}

test('lag is the age of the oldest record that is not posted, and grows while it cannot be', async () => {
  const { consumer, log, pass, lag } = world();
  const posted = Promise.withResolvers<void>();
  await subscribe(consumer, () => posted.promise);
  expect(await lag()).toEqual({});
  expect(await log().onAssigned(3)).toBe(0n);
  expect(await lag()).toEqual({ 3: 0 });
  const posting = log().onBatch(batch(2n, record(0n, startMs - 500), record(1n, startMs - 100)));
  expect(await lag()).toEqual({ 3: 0.5 });
  pass(60_000);
  expect(await lag()).toEqual({ 3: 60.5 });
  posted.resolve();
  await posting;
  expect(await lag()).toEqual({ 3: 0 });
});

test('while more is behind a posted batch, lag is at most the age of its last record', async () => {
  const { consumer, log, lag } = world();
  await subscribe(consumer, async () => {});
  await log().onAssigned(3);
  await log().onBatch(batch(9n, record(0n, startMs - 5_000), record(1n, startMs - 4_000)));
  expect(await lag()).toEqual({ 3: 4 });
  // A record that does not say when it was settled waits since it was read.
  await log().onBatch(batch(9n, record(2n, null)));
  expect(await lag()).toEqual({ 3: 0 });
});

test('a batch that failed still waits, until the partition is assigned anew or goes to another process', async () => {
  const { consumer, log, pass, lag } = world();
  await subscribe(consumer, () => Promise.reject(new Error('the database is away')));
  await log().onAssigned(3);
  await expect(log().onBatch(batch(1n, record(0n, startMs)))).rejects.toThrow('away');
  pass(1_000);
  expect(await lag()).toEqual({ 3: 1 });
  log().onRevoked(3);
  expect(await lag()).toEqual({});
});
