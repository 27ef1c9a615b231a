import { onTestFinished } from 'vitest';
import type { LogRecord } from '../../../../schema/events/log-record.ts';
import type { Topic } from '../../../../schema/events/topics.ts';
import type { EventLogProducer, SubscribeOptions } from '../../../../services/eventlog/event-log.ts';
import { EventLogError } from '../../../../services/eventlog/event-log.ts';
import { partitionOf } from '../../../../services/eventlog/partition.ts';

/**
 * What a ledger keeps in its database, for several subscribers at once: the position and epoch of each partition, and what was
 * booked. It refuses a former owner, a gap and a repetition as the ledger's transaction does; a second copy of an event that the
 * log itself holds twice is counted and passed over.
 */
export class Books {
  readonly offsets = new Map<number, bigint>();
  readonly errors: unknown[] = [];
  /** Numbers booked of each key, in the order they came. */
  readonly booked = new Map<string, number[]>();
  duplicates = 0;
  private readonly epochs = new Map<number, number>();
  private readonly seen = new Set<string>();

  subscriber(topic: Topic, changes: Partial<SubscribeOptions> = {}): SubscribeOptions {
    const epochs = new Map<number, number>();
    return {
      topic,
      group: 'books',
      maxBatchRecords: 50,
      maxBatchBytes: 1_000_000,
      onAssigned: async (partition) => {
        const epoch = (this.epochs.get(partition) ?? 0) + 1;
        this.epochs.set(partition, epoch);
        epochs.set(partition, epoch);
        return this.offsets.get(partition) ?? 0n;
      },
      onRevoked: () => {},
      onBatch: async ({ partition, records }) => {
        if (this.epochs.get(partition) !== epochs.get(partition)) throw new Error('fenced');
        const due = this.offsets.get(partition) ?? 0n;
        if (records[0]?.offset !== due) throw new Error(`partition ${partition}: ${records[0]?.offset} where ${due} was due`);
        for (const record of records) this.book(record);
        this.offsets.set(partition, due + BigInt(records.length));
      },
      onError: (error) => void this.errors.push(error),
      ...changes,
    };
  }

  get size(): number {
    return this.seen.size;
  }

  private book({ key, headers }: LogRecord): void {
    if (this.seen.has(`${key} ${headers.number}`)) {
      this.duplicates++;
      return;
    }
    this.seen.add(`${key} ${headers.number}`);
    const numbers = this.booked.get(key) ?? [];
    this.booked.set(key, numbers);
    numbers.push(Number(headers.number));
  }
}

export function testRecord(topic: Topic, key: string, number: number, bytes = 500): LogRecord {
  return { key, partition: partitionOf(key, topic.partitions), headers: { number: String(number) }, value: Buffer.alloc(bytes, number) };
}

/** As the spool's sender does: the same batch again, until it is taken. `onRefused` may throw to end that. */
export async function appendSurely(
  producer: EventLogProducer,
  topic: Topic,
  records: readonly LogRecord[],
  onRefused: () => void = () => {},
): Promise<void> {
  for (;;) {
    try {
      await producer.append(topic, records);
      return;
    } catch (error) {
      if (!(error instanceof EventLogError) || !error.retryable) throw error;
      onRefused();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Appends one record of each of twelve keys, again and again. */
export interface Traffic {
  /** Rounds acknowledged so far. */
  readonly rounds: () => number;
  /** Refused or unanswered so far. */
  readonly refusals: () => number;
  /** Ends after the round under way; gives the rounds written. */
  stop(): Promise<number>;
}

export const trafficKeys = Array.from({ length: 12 }, (_, index) => `key_${index}`);

/** Runs until `stop`, or until the test is over, however that happened. */
export function startTraffic(producer: EventLogProducer, topic: Topic): Traffic {
  let rounds = 0;
  let refusals = 0;
  let enough = false;
  let over = false;
  const run = async (): Promise<number> => {
    while (!enough) {
      const round = trafficKeys.map((key) => testRecord(topic, key, rounds));
      await appendSurely(producer, topic, round, () => {
        refusals++;
        if (over) throw new Error('the test is over');
      });
      rounds++;
    }
    return rounds;
  };
  const running = run();
  onTestFinished(async () => {
    enough = true;
    over = true;
    await running.catch(() => {});
  });
  return {
    rounds: () => rounds,
    refusals: () => refusals,
    stop: () => {
      enough = true;
      return running;
    },
  };
}
