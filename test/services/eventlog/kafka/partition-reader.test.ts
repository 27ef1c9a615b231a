import { expect, onTestFinished, test } from 'vitest';
import type { LogBatch, SubscribeOptions } from '../../../../services/eventlog/event-log.ts';
import type { Fetched, PartitionReaderOptions } from '../../../../services/eventlog/kafka/partition-reader.ts';
import { createPartitionReader } from '../../../../services/eventlog/kafka/partition-reader.ts';
import { systemTimers } from '../../../../services/eventlog/timers.ts';
import { eventually } from '../../../harness/eventually.ts';

const fetchedOf = (from: bigint, count: number): Fetched => ({
  from,
  end: from + BigInt(count),
  highWater: 1_000n,
  records: Array.from({ length: count }, (_, index) => ({
    key: 'k',
    partition: 3,
    headers: {},
    value: Buffer.alloc(100),
    offset: from + BigInt(index),
  })),
});

/** A reader of a partition that starts at 10, and everything it said to its surroundings. */
function reading(changes: Partial<SubscribeOptions> = {}, options: Partial<PartitionReaderOptions> = {}) {
  const said: string[] = [];
  const batches: LogBatch[] = [];
  const errors: string[] = [];
  const reader = createPartitionReader({
    partition: 3,
    subscription: {
      topic: { name: 't', partitions: 12, key: 'apiKeyId' },
      group: 'g',
      maxBatchRecords: 4,
      maxBatchBytes: 1_000_000,
      onAssigned: async () => 10n,
      onRevoked: () => {},
      onBatch: async (batch) => void batches.push(batch),
      onError: () => {},
      ...changes,
    },
    flow: {
      seek: (_partition, offset) => void said.push(`seek ${offset}`),
      pause: () => void said.push('pause'),
      resume: () => void said.push('resume'),
    },
    timers: systemTimers,
    retryDelayMs: 5,
    patienceMs: 5,
    mayHandOut: () => true,
    held: async () => ({ earliest: 0n, next: 1_000n }),
    onHandled: () => {},
    report: (error) => void errors.push(String(error)),
    ...options,
  });
  onTestFinished(() => reader.giveUp());
  return { reader, said, batches, errors };
}

test('nothing is fetched before the subscriber has said from where, and what comes earlier is dropped', async () => {
  const { reader, said, batches } = reading();
  await reader.take(fetchedOf(0n, 1));
  await eventually(() => said.length === 2);
  expect(said).toEqual(['seek 10', 'resume']);
  await reader.take(fetchedOf(10n, 1));
  await eventually(() => batches.length === 1);
  expect(batches[0]?.records[0]?.offset).toBe(10n);
});

test('what was fetched comes in batches of the size asked for, in order', async () => {
  const { reader, said, batches } = reading();
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(10n, 10));
  await eventually(() => batches.length === 3);
  expect(batches.map(({ records }) => records.length)).toEqual([4, 4, 2]);
  expect(batches.flatMap(({ records }) => records.map(({ offset }) => Number(offset)))).toEqual(
    Array.from({ length: 10 }, (_, index) => 10 + index),
  );
});

test('a record larger than a batch may be comes alone', async () => {
  const { reader, said, batches } = reading({ maxBatchBytes: 50 });
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(10n, 2));
  await eventually(() => batches.length === 2);
});

test('a slow batch pauses its partition after a while, and no longer than it takes', async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { reader, said } = reading({ onBatch: () => held });
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(10n, 6));
  expect(said.slice(2)).toEqual(['pause']);
  letGo();
  await eventually(() => said.length === 4);
  expect(said.slice(2)).toEqual(['pause', 'resume']);
});

test('a fetch from elsewhere than where it was due is an error and a new assignment, never a jump', async () => {
  let assignments = 0;
  const { reader, said, errors, batches } = reading({
    onAssigned: async () => {
      assignments++;
      return 10n;
    },
  });
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(0n, 3));
  await eventually(() => assignments === 2);
  expect(errors).toEqual([expect.stringContaining('was read from 0 where 10 was due')]);
  await eventually(() => said.filter((word) => word === 'resume').length === 2);
  await reader.take(fetchedOf(10n, 1));
  await eventually(() => batches.length === 1);
});

test('markers of the log that are no records are passed over', async () => {
  const { reader, said, batches, errors } = reading();
  await eventually(() => said.includes('resume'));
  reader.skip(10n, 12n);
  await reader.take(fetchedOf(12n, 1));
  await eventually(() => batches.length === 1);
  expect(errors).toEqual([]);
});

test('once given up it hands nothing out and says nothing to the flow, which may be another reader’s by then', async () => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begun = 0;
  const { reader, said } = reading({
    onBatch: async () => {
      begun++;
      await held;
      throw new Error('fenced');
    },
  });
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(10n, 8));
  const before = said.length;
  reader.giveUp();
  letGo();
  await reader.running;
  expect(begun).toBe(1);
  expect(said).toHaveLength(before);
});

test('after a rebalance it says again where to go on', async () => {
  const { reader, said } = reading();
  await eventually(() => said.includes('resume'));
  await reader.take(fetchedOf(10n, 4));
  said.length = 0;
  reader.restate();
  expect(said).toEqual(['seek 14', 'resume']);
});
