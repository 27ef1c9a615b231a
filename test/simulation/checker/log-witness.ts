import { createHash } from 'node:crypto';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { EventLogConsumer, EventLogProducer } from '../../../services/eventlog/event-log.ts';
import type { Model } from '../model.ts';
import type { SpoolWitness } from './spool-witness.ts';
import type { Verdict } from './verdict.ts';

/** What was handed to a ledger at a place of the log. */
export interface HandedRecord {
  /** Id of the event as its headers say; empty where they do not. */
  readonly eventId: string;
  readonly hash: string;
}

/** Stands between the product and the event log, on both sides, and remembers what went through. */
export interface LogWitness {
  /** A proxy's producer: nothing may be shipped that the machine's loss could still undo, and nothing is acknowledged twice over. */
  producer(producer: EventLogProducer, spool: SpoolWitness): EventLogProducer;
  /** A ledger's consumer: a place in the log has one record for ever. */
  consumer(consumer: EventLogConsumer): EventLogConsumer;
  /** What was handed out at a place, or undefined. */
  handed(partition: number, offset: bigint): HandedRecord | undefined;
}

export function createLogWitness(model: Model, verdict: Verdict, onAcknowledged: (records: readonly LogRecord[]) => void): LogWitness {
  const handed: Map<bigint, HandedRecord>[] = [];

  function remember(partition: number, offset: bigint, record: LogRecord): void {
    const places = handed[partition] ?? new Map<bigint, HandedRecord>();
    handed[partition] = places;
    const hash = createHash('sha1').update(record.value).digest('base64');
    const before = places.get(offset);
    if (before !== undefined && before.hash !== hash) {
      verdict.breach(
        'a place in the log has one record for ever',
        `${partition}/${offset} was ${before.eventId} and is ${eventIdOf(record)}`,
      );
    }
    places.set(offset, { eventId: eventIdOf(record), hash });
  }

  return {
    producer: (producer, spool) => ({
      async append(topic, records) {
        for (const record of records) {
          const requestId = eventIdOf(record);
          if (!spool.isClosedDurably(requestId) && !spool.wasLiedTo(requestId))
            verdict.breach('shipped is a part of synced', `${requestId} was shipped before its settlement was durable`);
        }
        await producer.append(topic, records);
        model.acknowledge(records.map(eventIdOf));
        onAcknowledged(records);
      },
      close: () => producer.close(),
    }),
    consumer: (consumer) => ({
      ...consumer,
      subscribe: (options) =>
        consumer.subscribe({
          ...options,
          onBatch: (batch) => {
            let last: bigint | null = null;
            for (const record of batch.records) {
              if (last !== null && record.offset <= last)
                verdict.breach('records come in offset order', `${batch.partition}/${record.offset} came behind ${last}`);
              last = record.offset;
              remember(batch.partition, record.offset, record);
            }
            return options.onBatch(batch);
          },
        }),
    }),
    handed: (partition, offset) => handed[partition]?.get(offset),
  };
}

function eventIdOf(record: LogRecord): string {
  return record.headers.ce_id ?? '';
}
