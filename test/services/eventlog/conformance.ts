import { describe, expect, onTestFinished, test } from 'vitest';
import type { LogRecord, StoredRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import { MAX_EVENT_BYTES } from '../../../schema/events/topics.ts';
import type { EventLogConsumer, EventLogProducer, LogBatch, SubscribeOptions, Subscription } from '../../../services/eventlog/event-log.ts';
import { EventLogError } from '../../../services/eventlog/event-log.ts';
import { partitionOf } from '../../../services/eventlog/partition.ts';
import { eventually } from '../../harness/eventually.ts';

/** An event log under test, empty when it starts. */
export interface RunningLog {
  readonly topic: Topic;
  producer(): Promise<EventLogProducer>;
  consumer(): Promise<EventLogConsumer>;
  close(): Promise<void>;
}

/** An event log whose holder can be killed. Before `recover` it takes appends only. */
export interface CrashableLog {
  readonly topic: Topic;
  producer(): Promise<EventLogProducer>;
  /** SIGKILL, in whatever the holder is doing. */
  crash(): Promise<void>;
  /** Starts the holder again on what the killed one left. */
  recover(): Promise<RunningLog>;
  close(): Promise<void>;
}

export interface EventLogHarness {
  start(): Promise<RunningLog>;
  startCrashable(): Promise<CrashableLog>;
}

/** What the ledger keeps in its database: the position of each partition and the epoch that fences out former owners. */
class Positions {
  readonly offsets = new Map<number, bigint>();
  readonly epochs = new Map<number, number>();
  readonly handled: StoredRecord[] = [];

  take(partition: number): { readonly epoch: number; readonly offset: bigint } {
    const epoch = (this.epochs.get(partition) ?? 0) + 1;
    this.epochs.set(partition, epoch);
    return { epoch, offset: this.offsets.get(partition) ?? 0n };
  }

  /** @throws when the epoch is not the newest: a former owner writes nothing. */
  post(batch: LogBatch, epoch: number): void {
    if (this.epochs.get(batch.partition) !== epoch) throw new Error('fenced');
    const from = this.offsets.get(batch.partition) ?? 0n;
    const first = batch.records[0];
    if (first === undefined || first.offset !== from) throw new Error(`a gap or a repetition: ${first?.offset} where ${from} was due`);
    // A record may read its fields only when it is asked for them.
    this.handled.push(...batch.records.map(({ key, partition, headers, value, offset }) => ({ key, partition, headers, value, offset })));
    this.offsets.set(batch.partition, (batch.records.at(-1)?.offset ?? from) + 1n);
  }
}

/** Options of a subscriber that posts into `positions` as the ledger would; `changes` replace parts. */
function ledgerLike(topic: Topic, positions: Positions, changes: Partial<SubscribeOptions> = {}): SubscribeOptions {
  const epochs = new Map<number, number>();
  return {
    topic,
    group: 'ledger',
    maxBatchRecords: 100,
    maxBatchBytes: 1_000_000,
    onAssigned: async (partition) => {
      const { epoch, offset } = positions.take(partition);
      epochs.set(partition, epoch);
      return offset;
    },
    onRevoked: () => {},
    onBatch: async (batch) => {
      positions.post(batch, epochs.get(batch.partition) ?? -1);
    },
    onError: () => {},
    ...changes,
  };
}

const keysOf = (topic: Topic): string[] => Array.from({ length: topic.partitions * 3 }, (_, index) => `key_${index}`);
const numbersOf = (records: readonly LogRecord[], key: string): number[] =>
  records.filter((record) => record.key === key).map((record) => Number(record.headers.number));

function recordOf(topic: Topic, key: string, number: number, value = Buffer.from(`${key} ${number}`)): LogRecord {
  return { key, partition: partitionOf(key, topic.partitions), headers: { number: String(number), ce_id: `${key}_${number}` }, value };
}

/** Appends until it is taken, as the spool's sender does. */
async function appendSurely(producer: EventLogProducer, topic: Topic, records: readonly LogRecord[]): Promise<void> {
  for (;;) {
    try {
      await producer.append(topic, records);
      return;
    } catch (error) {
      if (!(error instanceof EventLogError) || !error.retryable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const isAscending = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || (numbers[index - 1] ?? 0) < number);

/** What every adapter of the event log's port must prove. Each name is a guarantee of services/eventlog/event-log.ts. */
export function describeEventLog(name: string, harness: EventLogHarness): void {
  describe(`${name}: the event log`, () => {
    const started = async (): Promise<RunningLog> => {
      const log = await harness.start();
      onTestFinished(() => log.close());
      return log;
    };
    const producing = async (log: Pick<RunningLog, 'producer'>): Promise<EventLogProducer> => {
      const producer = await log.producer();
      onTestFinished(() => producer.close());
      return producer;
    };
    const subscribed = async (log: RunningLog, options: SubscribeOptions): Promise<Subscription> => {
      const consumer = await log.consumer();
      const subscription = await consumer.subscribe(options);
      onTestFinished(async () => {
        await subscription.stop();
        await consumer.close();
      });
      return subscription;
    };
    const fill = async (log: RunningLog, rounds: number): Promise<LogRecord[]> => {
      const producer = await producing(log);
      const records: LogRecord[] = [];
      for (let number = 0; number < rounds; number++) {
        const batch = keysOf(log.topic).map((key) => recordOf(log.topic, key, number));
        await producer.append(log.topic, batch);
        records.push(...batch);
      }
      return records;
    };

    test('records of one key come back in the order they were appended, with offsets that rise by one', async () => {
      const log = await started();
      const written = await fill(log, 20);
      const positions = new Positions();
      await subscribed(log, ledgerLike(log.topic, positions));
      await eventually(() => positions.handled.length >= written.length, 30_000);
      expect(positions.handled).toHaveLength(written.length);
      for (const key of keysOf(log.topic))
        expect(numbersOf(positions.handled, key)).toEqual(Array.from({ length: 20 }, (_, number) => number));
    });

    test('two producers at once each keep their order', async () => {
      const log = await started();
      const [first, second] = [await producing(log), await producing(log)];
      const run = async (producer: EventLogProducer, key: string): Promise<void> => {
        for (let number = 0; number < 50; number++) await producer.append(log.topic, [recordOf(log.topic, key, number)]);
      };
      await Promise.all([run(first, 'key_same_a'), run(second, 'key_same_b')]);
      const positions = new Positions();
      await subscribed(log, ledgerLike(log.topic, positions));
      await eventually(() => positions.handled.length === 100, 30_000);
      for (const key of ['key_same_a', 'key_same_b']) expect(isAscending(numbersOf(positions.handled, key))).toBe(true);
    });

    test('key, headers and bytes come back as they were given', async () => {
      const log = await started();
      const producer = await producing(log);
      const value = Buffer.from(Array.from({ length: 1_024 }, (_, index) => index % 256));
      const record = {
        key: 'ключ 🔑',
        partition: 2,
        headers: { 'content-type': 'application/json', ce_id: 'x', note: 'ünï "quoted"\n' },
        value,
      };
      const largest = { ...record, partition: 5, value: Buffer.alloc(MAX_EVENT_BYTES, 0xff) };
      await producer.append(log.topic, [record, largest]);
      const positions = new Positions();
      await subscribed(log, ledgerLike(log.topic, positions));
      await eventually(() => positions.handled.length === 2, 30_000);
      expect(positions.handled.find(({ partition }) => partition === 2)).toEqual({ ...record, offset: 0n });
      expect(positions.handled.find(({ partition }) => partition === 5)).toEqual({ ...largest, offset: 0n });
    });

    test('what was acknowledged is there after the holder is killed in mid-append, and what was not can be appended again', {
      timeout: 600_000,
    }, async () => {
      const crashable = await harness.startCrashable();
      onTestFinished(() => crashable.close());
      const { topic } = crashable;
      const keys = keysOf(topic).slice(0, 4);
      const acknowledged = new Map(keys.map((key) => [key, -1]));
      let enough = false;
      const producers = await Promise.all(keys.map(() => producing(crashable)));
      const appending = keys.map(async (key, index) => {
        const producer = producers[index];
        for (let number = 0; producer !== undefined && !enough; number++) {
          await appendSurely(producer, topic, [recordOf(topic, key, number, Buffer.alloc(3_000, number))]);
          acknowledged.set(key, number);
        }
      });
      await eventually(() => [...acknowledged.values()].every((number) => number > 30), 30_000);
      await crashable.crash();
      const atCrash = Math.max(...acknowledged.values());
      const log = await crashable.recover();
      onTestFinished(() => log.close());
      await eventually(() => [...acknowledged.values()].every((number) => number > atCrash + 30), 30_000);
      enough = true;
      await Promise.all(appending);

      const positions = new Positions();
      await subscribed(log, ledgerLike(topic, positions));
      await eventually(() => keys.every((key) => numbersOf(positions.handled, key).includes(acknowledged.get(key) ?? 0)), 30_000);
      for (const key of keys) {
        const numbers = numbersOf(positions.handled, key);
        const distinct = [...new Set(numbers)];
        expect(distinct).toEqual(Array.from({ length: distinct.length }, (_, number) => number));
        // At least once: only what was in flight at the crash may be there twice.
        expect(numbers.length - distinct.length).toBeLessThanOrEqual(1);
      }
    });

    test('reading starts at the offset the consumer names, as often as it likes', async () => {
      const log = await started();
      const producer = await producing(log);
      await producer.append(
        log.topic,
        Array.from({ length: 10 }, (_, number) => recordOf(log.topic, 'key_replayed', number)),
      );
      const partition = partitionOf('key_replayed', log.topic.partitions);
      for (const from of [7n, 0n, 7n]) {
        const positions = new Positions();
        positions.offsets.set(partition, from);
        const consumer = await log.consumer();
        const subscription = await consumer.subscribe(ledgerLike(log.topic, positions, { group: `from-${from}` }));
        await eventually(() => positions.offsets.get(partition) === 10n, 30_000);
        expect(numbersOf(positions.handled, 'key_replayed')).toEqual(
          Array.from({ length: 10 - Number(from) }, (_, index) => Number(from) + index),
        );
        await subscription.stop();
        await consumer.close();
      }
    });

    test('every partition is assigned, with its offset asked for, before any batch of it', async () => {
      const log = await started();
      await fill(log, 2);
      const assigned = new Set<number>();
      const early: number[] = [];
      let seen = 0;
      await subscribed(
        log,
        ledgerLike(log.topic, new Positions(), {
          onAssigned: async (partition) => {
            await new Promise((resolve) => setImmediate(resolve));
            assigned.add(partition);
            return 0n;
          },
          onBatch: async ({ partition, records }) => {
            if (!assigned.has(partition)) early.push(partition);
            seen += records.length;
          },
        }),
      );
      await eventually(() => assigned.size === log.topic.partitions && seen === 2 * keysOf(log.topic).length, 30_000);
      expect(early).toEqual([]);
    });

    test('a batch keeps within the bounds asked for, and its high water tells how much is behind it', async () => {
      const log = await started();
      const producer = await producing(log);
      await producer.append(
        log.topic,
        Array.from({ length: 50 }, (_, number) => recordOf(log.topic, 'key_bounds', number, Buffer.alloc(1_000))),
      );
      const batches: LogBatch[] = [];
      await subscribed(
        log,
        ledgerLike(log.topic, new Positions(), {
          maxBatchRecords: 7,
          maxBatchBytes: 4_500,
          onBatch: async (batch) => void batches.push(batch),
        }),
      );
      await eventually(() => batches.flatMap(({ records }) => records).length === 50, 30_000);
      for (const { records, highWater } of batches) {
        expect(records.length).toBeLessThanOrEqual(4);
        expect(highWater).toBe(50n);
      }
    });

    test('batches of one partition come one after another, and a slow one holds back no other partition', async () => {
      const log = await started();
      await fill(log, 10);
      const running = new Map<number, number>();
      let overlapped = false;
      let others = 0;
      let letGo = (): void => {};
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      await subscribed(
        log,
        ledgerLike(log.topic, new Positions(), {
          maxBatchRecords: 5,
          onBatch: async ({ partition, records }) => {
            running.set(partition, (running.get(partition) ?? 0) + 1);
            overlapped ||= (running.get(partition) ?? 0) > 1;
            if (partition === partitionOf('key_0', log.topic.partitions)) await held;
            else others += records.length;
            running.set(partition, (running.get(partition) ?? 0) - 1);
          },
        }),
      );
      const elsewhere = keysOf(log.topic).filter(
        (key) => partitionOf(key, log.topic.partitions) !== partitionOf('key_0', log.topic.partitions),
      );
      await eventually(() => others === elsewhere.length * 10, 30_000);
      expect(running.get(partitionOf('key_0', log.topic.partitions))).toBe(1);
      expect(overlapped).toBe(false);
      letGo();
    });

    test('a second subscriber takes a share when it joins and gives it back when it leaves: no gap, nothing twice', {
      timeout: 600_000,
    }, async () => {
      const log = await started();
      const producer = await producing(log);
      const positions = new Positions();
      const owners = { first: new Set<number>(), second: new Set<number>() };
      const subscriber = (who: 'first' | 'second'): SubscribeOptions => {
        const base = ledgerLike(log.topic, positions, { maxBatchRecords: 3 });
        return {
          ...base,
          onAssigned: (partition) => {
            owners[who].add(partition);
            return base.onAssigned(partition);
          },
          onRevoked: (partition) => void owners[who].delete(partition),
        };
      };
      await subscribed(log, subscriber('first'));
      let written = 0;
      const write = async (): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          await producer.append(
            log.topic,
            keysOf(log.topic).map((key) => recordOf(log.topic, key, written)),
          );
          written++;
        }
      };
      await write();
      const consumer = await log.consumer();
      for (let visit = 0; visit < 3; visit++) {
        const subscription = await consumer.subscribe(subscriber('second'));
        await write();
        await eventually(() => owners.second.size > 0 && owners.first.size + owners.second.size === log.topic.partitions, 30_000);
        await subscription.stop();
        owners.second.clear();
        await write();
        await eventually(() => owners.first.size === log.topic.partitions, 30_000);
      }
      await eventually(() => positions.handled.length === written * keysOf(log.topic).length, 60_000);
      for (const key of keysOf(log.topic))
        expect(numbersOf(positions.handled, key)).toEqual(Array.from({ length: written }, (_, number) => number));
      await consumer.close();
    });

    test('a revoked partition gets no more batches', { timeout: 300_000 }, async () => {
      const log = await started();
      const positions = new Positions();
      const revoked = new Set<number>();
      const late: number[] = [];
      const base = ledgerLike(log.topic, positions, { maxBatchRecords: 1 });
      await subscribed(log, {
        ...base,
        onRevoked: (partition) => void revoked.add(partition),
        onAssigned: (partition) => {
          revoked.delete(partition);
          return base.onAssigned(partition);
        },
        onBatch: (batch) => {
          if (revoked.has(batch.partition)) late.push(batch.partition);
          return base.onBatch(batch);
        },
      });
      await fill(log, 5);
      await subscribed(log, ledgerLike(log.topic, positions));
      await eventually(() => revoked.size > 0, 30_000);
      const written = await fill(log, 5);
      await eventually(() => positions.handled.length === 2 * written.length, 60_000);
      expect(late).toEqual([]);
    });

    test('while paused no batch comes and no partition is lost; after resume all of them come', async () => {
      const log = await started();
      const positions = new Positions();
      const revoked: number[] = [];
      const subscription = await subscribed(
        log,
        ledgerLike(log.topic, positions, { onRevoked: (partition) => void revoked.push(partition) }),
      );
      const first = await fill(log, 2);
      await eventually(() => positions.handled.length === first.length, 30_000);
      subscription.pause();
      const second = await fill(log, 2);
      const other = new Positions();
      await subscribed(log, ledgerLike(log.topic, other, { group: 'other' }));
      // Another group has read everything by now, so the pause is what keeps ours from it.
      await eventually(() => other.handled.length === first.length + second.length, 30_000);
      expect(positions.handled.length).toBe(first.length);
      subscription.resume();
      await eventually(() => positions.handled.length === first.length + second.length, 30_000);
      expect(revoked).toEqual([]);
    });

    test('a batch that is not taken comes again after its partition is assigned anew, and the others go on', {
      timeout: 300_000,
    }, async () => {
      const log = await started();
      const written = await fill(log, 5);
      const positions = new Positions();
      const poisoned = partitionOf('key_1', log.topic.partitions);
      const offered: bigint[] = [];
      const errors: unknown[] = [];
      let assignments = 0;
      const base = ledgerLike(log.topic, positions);
      await subscribed(log, {
        ...base,
        onAssigned: (partition) => {
          if (partition === poisoned) assignments++;
          return base.onAssigned(partition);
        },
        onBatch: (batch) => {
          if (batch.partition === poisoned) offered.push(batch.records[0]?.offset ?? -1n);
          if (batch.partition === poisoned && offered.length <= 2) throw new Error('not this one');
          return base.onBatch(batch);
        },
        onError: (error) => errors.push(error),
      });
      await eventually(() => positions.handled.length === written.length, 60_000);
      expect(offered.slice(0, 3)).toEqual([0n, 0n, 0n]);
      expect(assignments).toBeGreaterThanOrEqual(3);
      expect(errors.length).toBeGreaterThanOrEqual(2);
    });

    test('a failing assignment is tried again', { timeout: 300_000 }, async () => {
      const log = await started();
      const written = await fill(log, 1);
      const positions = new Positions();
      const base = ledgerLike(log.topic, positions);
      let failures = 3;
      await subscribed(log, {
        ...base,
        onAssigned: async (partition) => {
          if (failures-- > 0) throw new Error('the database is away');
          return base.onAssigned(partition);
        },
      });
      await eventually(() => positions.handled.length === written.length, 60_000);
    });

    test('an offset the log no longer or not yet holds is an error, never a silent jump', { timeout: 300_000 }, async () => {
      const log = await started();
      await fill(log, 3);
      const errors: unknown[] = [];
      const batches: LogBatch[] = [];
      await subscribed(
        log,
        ledgerLike(log.topic, new Positions(), {
          onAssigned: async () => 1_000n,
          onBatch: async (batch) => void batches.push(batch),
          onError: (error) => errors.push(error),
        }),
      );
      await eventually(() => errors.length > 0, 30_000);
      expect(batches).toEqual([]);
    });

    test('stop ends after the batches under way, and none begins after it', { timeout: 300_000 }, async () => {
      const log = await started();
      await fill(log, 10);
      let begun = 0;
      let ended = 0;
      const subscription = await subscribed(
        log,
        ledgerLike(log.topic, new Positions(), {
          maxBatchRecords: 1,
          onBatch: async () => {
            begun++;
            await new Promise((resolve) => setTimeout(resolve, 5));
            ended++;
          },
        }),
      );
      await eventually(() => begun > 0, 30_000);
      await subscription.stop();
      const begunAtStop = begun;
      expect(ended).toBe(begun);
      await fill(log, 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(begun).toBe(begunAtStop);
    });

    test('a record that is too large or has no such partition is refused for good, and the log goes on', async () => {
      const log = await started();
      const producer = await producing(log);
      const fine = recordOf(log.topic, 'key_fine', 0);
      for (const bad of [
        { ...fine, value: Buffer.alloc(MAX_EVENT_BYTES + 1) },
        { ...fine, partition: log.topic.partitions },
        { ...fine, partition: -1 },
      ]) {
        await expect(producer.append(log.topic, [fine, bad])).rejects.toMatchObject({ name: 'EventLogError', retryable: false });
      }
      await expect(producer.append({ ...log.topic, name: 'turnpike.nowhere.v1' }, [fine])).rejects.toMatchObject({ name: 'EventLogError' });
      await producer.append(log.topic, [fine]);
      const positions = new Positions();
      await subscribed(log, ledgerLike(log.topic, positions));
      // All or nothing: the good record beside a bad one was not stored.
      await eventually(() => positions.handled.length === 1, 30_000);
    });

    test('offsets tells for each partition what is held and what comes next', async () => {
      const log = await started();
      const producer = await producing(log);
      const consumer = await log.consumer();
      onTestFinished(() => consumer.close());
      expect((await consumer.offsets(log.topic)).size).toBe(log.topic.partitions);
      await producer.append(
        log.topic,
        Array.from({ length: 3 }, (_, number) => recordOf(log.topic, 'key_counted', number)),
      );
      const offsets = await consumer.offsets(log.topic);
      expect(offsets.get(partitionOf('key_counted', log.topic.partitions))).toEqual({ earliest: 0n, next: 3n });
      expect([...offsets.values()].filter(({ next }) => next === 0n)).toHaveLength(log.topic.partitions - 1);
    });
  });
}
