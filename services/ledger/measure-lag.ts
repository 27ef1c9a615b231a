import { Gauge } from 'prom-client';
import type { StoredRecord } from '../../schema/events/log-record.ts';
import type { EventLogConsumer } from '../eventlog/event-log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import { metricsPrefix } from '../runtime/metrics.ts';

/**
 * Measures how far behind the ledger is, in seconds, whichever log it reads: the age of the oldest record of each partition that
 * was settled and is not in the books, as far as this process knows. It grows while a batch cannot be posted, which a figure taken
 * at each commit would not show.
 * @returns the same consumer, watched.
 */
export function measureLag(
  consumer: EventLogConsumer,
  options: { readonly registry: MetricsRegistry; readonly clock: Clock },
): EventLogConsumer {
  const { registry, clock } = options;
  /** When the oldest record that waits was settled, by partition; null = none waits that we know of. */
  const waiting = new Map<number, number | null>();
  new Gauge({
    name: `${metricsPrefix}ledger_oldest_unposted_seconds`,
    help: 'Age of the oldest record of the log that is not in the books, as this process knows; 0 = none waits',
    labelNames: ['partition'],
    registers: [registry],
    collect() {
      // A partition that went to another process must not stay at its last age.
      this.reset();
      for (const [partition, sinceMs] of waiting) {
        this.set({ partition }, sinceMs === null ? 0 : Math.max(0, clock.now() - sinceMs) / 1_000);
      }
    },
  });
  const settledAtMs = (record: StoredRecord | undefined): number => {
    const timeMs = Date.parse(record?.headers.ce_time ?? '');
    return Number.isNaN(timeMs) ? clock.now() : timeMs;
  };

  return {
    ...consumer,
    subscribe: (subscribed) =>
      consumer.subscribe({
        ...subscribed,
        onAssigned: async (partition) => {
          const from = await subscribed.onAssigned(partition);
          waiting.set(partition, null);
          return from;
        },
        onRevoked: (partition) => {
          waiting.delete(partition);
          subscribed.onRevoked(partition);
        },
        onBatch: async (batch) => {
          const { partition, records, highWater } = batch;
          waiting.set(partition, settledAtMs(records[0]));
          await subscribed.onBatch(batch);
          // What is behind the batch was settled at its last record or later.
          const last = records.at(-1);
          const more = last !== undefined && last.offset + 1n < highWater;
          // It may have been taken away meanwhile.
          if (waiting.has(partition)) waiting.set(partition, more ? settledAtMs(last) : null);
        },
      }),
  };
}
