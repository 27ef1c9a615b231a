import type { Topic } from '../../schema/events/topics.ts';
import type { EventLogConsumer, LogBatch } from '../eventlog/event-log.ts';
import type { Timers } from '../eventlog/timers.ts';
import { systemTimers } from '../eventlog/timers.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HealthCheck } from '../runtime/health-answers.ts';
import type { Log } from '../runtime/log.ts';
import { FencedError, GapError } from './failures.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';
import type { Poster } from './poster.ts';
import type { LedgerStore } from './store/ledger-store.ts';

export type ConsumerOptions = {
  readonly store: LedgerStore;
  readonly eventLog: EventLogConsumer;
  readonly topic: Topic;
  readonly group: string;
  /** Names this process in `log_offsets`, for a person. */
  readonly owner: string;
  readonly poster: Poster;
  readonly clock: Clock;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
  readonly log: Log;
  readonly metrics: LedgerMetrics;
  /** Told of each offset that is committed: the log need not keep records below it for us. */
  readonly onConsumed?: (partition: number, nextOffset: bigint) => void;
};

export type Consumer = {
  readonly checks: () => readonly HealthCheck[];
  /** Finishes the batches under way and leaves the group. With the database away they are given up after `graceMs`. */
  readonly stop: (graceMs: number) => Promise<void>;
};

/** A thousand rows are the knee of the insert's curve (reference/ledger.md 6.1); bytes bound what twelve partitions hold at once. */
const maxBatchRecords = 1_000;
const maxBatchBytes = 4 * 1024 * 1024;

/**
 * Reads the log into the books. The database's offset is where a partition goes on, whatever the log remembers; a partition
 * whose next record the log does not hold is refused, loudly, rather than skipped over. Whoever starts it has asked
 * `refuseChangedPartitions` before.
 */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { store, eventLog, topic, poster, clock, timers = systemTimers, log, metrics } = options;
  const epochs = new Map<number, bigint>();
  const gaps = new Map<number, string>();

  const onAssigned = async (partition: number): Promise<bigint> => {
    const tenure = await store.takeOverPartition({ topic: topic.name, partition, owner: options.owner, nowMs: clock.now() });
    const held = (await eventLog.offsets(topic)).get(partition);
    const gap = held === undefined ? null : findGap(tenure.nextOffset, held);
    if (gap !== null) {
      epochs.delete(partition);
      const message = `partition ${partition}: ${gap.message}`;
      // The log assigns it again and again; the alarm stays on in metrics and readiness, the log line is said once.
      if (gaps.get(partition) !== message) {
        log.error({ partition, missing: gap.missing.toString() }, `GAP between the event log and the ledger: ${message}`);
      }
      gaps.set(partition, message);
      metrics.gap(partition, gap.missing);
      throw gap;
    }
    gaps.delete(partition);
    metrics.gap(partition, 0n);
    epochs.set(partition, tenure.epoch);
    return tenure.nextOffset;
  };

  const onBatch = async ({ partition, records, highWater }: LogBatch): Promise<void> => {
    const epoch = epochs.get(partition);
    if (epoch === undefined) throw new FencedError(partition);
    const last = records.at(-1);
    if (last === undefined) return;
    await poster.post(partition, epoch, records);
    const next = last.offset + 1n;
    metrics.behind(partition, highWater - next);
    options.onConsumed?.(partition, next);
  };

  const subscription = await eventLog.subscribe({
    topic,
    group: options.group,
    maxBatchRecords,
    maxBatchBytes,
    onAssigned,
    // The epoch stays until the next assignment: a batch under way may still commit, or is fenced off by the new owner.
    onRevoked: (partition) => log.info({ partition }, 'partition revoked'),
    onBatch,
    onError: (error) => {
      // Said in full where it was found.
      if (!(error instanceof GapError)) log.warn({ error }, 'the subscription recovers from a failure');
    },
  });

  return {
    checks: () => [
      { name: 'event_log', reason: gaps.size === 0 ? null : [...gaps.values()].join('; ') },
      { name: 'posting', reason: poster.trouble() },
    ],
    stop: async (graceMs) => {
      const cancelPatience = timers.after(graceMs, poster.giveUp);
      try {
        await subscription.stop();
      } finally {
        cancelPatience();
        poster.giveUp();
      }
    },
  };
}

/** What lies between the books and the log: records that are gone, or books that are ahead of a log that was lost. */
function findGap(nextOffset: bigint, held: { readonly earliest: bigint; readonly next: bigint }): GapError | null {
  if (nextOffset < held.earliest) {
    const missing = held.earliest - nextOffset;
    return new GapError(`the ledger stands at ${nextOffset}, the log begins at ${held.earliest}: ${missing} records are gone`, missing);
  }
  if (nextOffset > held.next) {
    const missing = nextOffset - held.next;
    return new GapError(
      `the ledger stands at ${nextOffset}, the log ends at ${held.next}: the log was lost or belongs to other books`,
      missing,
    );
  }
  return null;
}
