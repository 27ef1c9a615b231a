import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { LogBatch, SubscribeOptions } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import { sizeOf } from './stored-record.ts';

/** What was fetched at once, `from` being the offset that was asked for and `end` the one to ask for next. */
export type Fetched = {
  readonly from: bigint;
  readonly end: bigint;
  readonly records: readonly StoredRecord[];
  readonly highWater: bigint;
};

/** What the brokers are asked for in one partition. */
export interface PartitionFlow {
  /** The next fetch begins at `offset`; one under way is dropped. */
  seek(partition: number, offset: bigint): void;
  pause(partition: number): void;
  resume(partition: number): void;
}

/** One partition while it is ours. A later assignment of the same partition is another one. */
export interface PartitionReader {
  readonly partition: number;
  /** Settles once it is given up and the batch under way has ended. */
  readonly running: Promise<void>;
  /** Takes what was fetched; resolves when more may be fetched, which is at once or when `patienceMs` is over. */
  take(fetched: Fetched): Promise<void>;
  /** The brokers held nothing but markers from `from` to `end`. */
  skip(from: bigint, end: bigint): void;
  /** Tells the flow again where to go on: it has forgotten. */
  restate(): void;
  /** Something outside changed: paused, resumed, stopping. */
  wake(): void;
  /** No batch begins after it. */
  giveUp(): void;
}

export interface PartitionReaderOptions {
  readonly partition: number;
  readonly subscription: SubscribeOptions;
  readonly flow: PartitionFlow;
  readonly timers: Timers;
  readonly retryDelayMs: number;
  readonly patienceMs: number;
  /** Whether batches may be handed out now. */
  mayHandOut(): boolean;
  /** What the log holds now. */
  held(): Promise<{ readonly earliest: bigint; readonly next: bigint }>;
  onHandled(nextOffset: bigint): void;
  report(error: unknown): void;
}

/**
 * Reads one partition in batches of the size asked for, apart from the others: fetching never waits for a slow batch longer than
 * `patienceMs`, after which this partition alone is paused. So the member keeps its heartbeat whatever its batches do, and at
 * most one fetch a partition is held in memory beyond the batch under way.
 */
export function createPartitionReader(options: PartitionReaderOptions): PartitionReader {
  const { partition, subscription, flow, timers } = options;
  const waiting: Fetched[] = [];
  /** Offset to fetch next; null while it is not known. */
  let position: bigint | null = null;
  let fault: EventLogError | null = null;
  let held = false;
  let live = true;
  let wakers: (() => void)[] = [];
  let drained: () => void = () => {};

  function wake(): void {
    const woken = wakers;
    wakers = [];
    for (const waker of woken) waker();
  }

  function change(): Promise<void> {
    return new Promise((resolve) => {
      wakers.push(resolve);
    });
  }

  async function run(): Promise<void> {
    while (live) {
      try {
        await consume(await subscription.onAssigned(partition));
      } catch (error) {
        stopFetching();
        options.report(error);
        await retryDelay();
      }
    }
    stopFetching();
  }

  async function consume(from: bigint): Promise<void> {
    const { earliest, next } = await options.held();
    // Never a silent jump: what is missing is a matter for a person.
    if (from < earliest || from > next) throw outOfRange(`is to be read from ${from}, the log holds ${earliest} to ${next}`);
    if (!live) return;
    fault = null;
    position = from;
    restate();
    while (live) {
      if (fault !== null) throw fault;
      const batch = options.mayHandOut() ? nextBatch() : null;
      if (batch === null) {
        await change();
        continue;
      }
      await subscription.onBatch(batch);
      options.onHandled((batch.records.at(-1)?.offset ?? -1n) + 1n);
    }
  }

  /** As many records as one batch may have, at least one; null when none wait. */
  function nextBatch(): LogBatch | null {
    const fetched = waiting.shift();
    if (fetched === undefined) return null;
    const { records, highWater } = fetched;
    let bytes = 0;
    let count = 0;
    for (const record of records) {
      bytes += sizeOf(record);
      if (count === subscription.maxBatchRecords || (count > 0 && bytes > subscription.maxBatchBytes)) break;
      count++;
    }
    if (count < records.length) waiting.unshift({ ...fetched, records: records.slice(count) });
    else if (waiting.length === 0) letFetch();
    return { partition, records: records.slice(0, count), highWater };
  }

  function letFetch(): void {
    drained();
    if (held && live) flow.resume(partition);
    held = false;
  }

  function stopFetching(): void {
    position = null;
    waiting.length = 0;
    held = false;
    // Once it is given up it may be another reader's.
    if (live) flow.pause(partition);
    drained();
  }

  function restate(): void {
    if (position === null || held) flow.pause(partition);
    if (position !== null) flow.seek(partition, position);
    if (position !== null && !held) flow.resume(partition);
  }

  /** Waits the delay out, whatever wakes the reader, but not once the partition is given up. */
  async function retryDelay(): Promise<void> {
    let over = false;
    const cancel = timers.after(options.retryDelayMs, () => {
      over = true;
      wake();
    });
    while (!over && live) await change();
    cancel();
  }

  function outOfRange(what: string): EventLogError {
    return new EventLogError(`Kafka: partition ${partition} ${what}`, { retryable: false });
  }

  let begin: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    begin = resolve;
  }).then(run);
  begin();

  return {
    partition,
    running,
    async take(fetched) {
      if (!live || position === null || fault !== null) return;
      if (fetched.from !== position) {
        // kafkajs answers "offset out of range" by going to the log's beginning.
        fault = outOfRange(`was read from ${fetched.from} where ${position} was due: the log no longer holds what comes next`);
        wake();
        return;
      }
      position = fetched.end;
      waiting.push(fetched);
      const roomy = new Promise<'roomy'>((resolve) => {
        drained = () => resolve('roomy');
      });
      wake();
      let cancel: () => void = () => {};
      const impatient = new Promise<'full'>((resolve) => {
        cancel = timers.after(options.patienceMs, () => resolve('full'));
      });
      const outcome = await Promise.race([roomy, impatient]);
      cancel();
      if (outcome === 'roomy' || waiting.length === 0 || !live) return;
      held = true;
      flow.pause(partition);
    },
    skip(from, end) {
      if (position === from) position = end;
    },
    restate,
    wake,
    giveUp() {
      live = false;
      drained();
      wake();
    },
  };
}
