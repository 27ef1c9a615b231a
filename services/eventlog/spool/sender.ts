import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { backoffMs } from '../backoff.ts';
import type { EventLogProducer } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import { pause } from '../timers.ts';
import type { Outbox, Outgoing } from './outbox.ts';

/** Where the sender ships to. */
export interface SenderTarget {
  /** Owned by the caller, who closes it after the spool has stopped. */
  readonly producer: EventLogProducer;
  readonly topic: Topic;
}

export interface SenderOptions extends SenderTarget {
  readonly outbox: Outbox;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Nothing above it is shipped: what is in the event log cannot be torn out of the spool. */
  syncedSequence(): number;
  /** Reads what is not in memory any more. @throws when it cannot be read now. */
  load(outgoing: Outgoing): Promise<LogRecord>;
  /** Everything in the batch has left: acknowledged, or set aside. */
  onSent(count: number): void;
  /** Keeps a record that the event log will never take. Must be durable when it resolves. */
  setAside(outgoing: Outgoing, record: LogRecord, reason: string): Promise<void>;
}

export interface Sender {
  /** Says that more may be ready. */
  wake(): void;
  /** Ships what is left until nothing is or `deadline` settles, then ends. */
  drain(deadline: Promise<void>): Promise<void>;
}

const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_BYTES = 500_000;
/** Longest wait for a batch to fill. Each batch costs both sides several writes, a sync and wake-ups; 10 ms of lag are not felt. */
const FILL_MS = 10;
const RETRY = { firstMs: 100, mostMs: 5_000 };

/**
 * Ships closed records in order, one batch at a time, and tries a batch again unchanged for as long as it takes. One call at a
 * time is what keeps order and uniqueness independent of the client (reference/ledger.md section 5.1, defect A). A batch that is
 * refused for good is halved until the record at fault is alone, which is set aside; the others go on.
 */
export function createSender(options: SenderOptions): Sender {
  const { outbox, producer, topic, timers, log } = options;
  let ended = false;
  let draining = false;
  let wakeUp: () => void = () => {};
  const running = run();

  async function run(): Promise<void> {
    while (!ended) {
      const ready = outbox.peek(options.syncedSequence(), MAX_BATCH_RECORDS, MAX_BATCH_BYTES);
      if (ready.length === 0) {
        if (draining && outbox.length === 0) return;
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        continue;
      }
      const full = ready.length === MAX_BATCH_RECORDS || ready.length < outbox.length;
      if (!full && !draining) await pause(timers, FILL_MS);
      const batch = outbox.peek(options.syncedSequence(), MAX_BATCH_RECORDS, MAX_BATCH_BYTES);
      const records = await loadAll(batch);
      if (records !== null && (await ship(batch, records))) options.onSent(batch.length);
    }
  }

  /** The records of a batch, or null when the sender ended before they could be read. */
  async function loadAll(batch: readonly Outgoing[]): Promise<readonly LogRecord[] | null> {
    const records: LogRecord[] = [];
    for (const outgoing of batch) {
      // Nearly every one is still in memory, and waiting for what is there costs more than all else that is done for it here.
      const record = outgoing.record ?? (await untilItWorks('read a closed record back', () => options.load(outgoing)));
      if (record === null) return null;
      records.push(record);
    }
    return records;
  }

  /** Whether all of the batch has left; false when the sender ended first. */
  async function ship(batch: readonly Outgoing[], records: readonly LogRecord[]): Promise<boolean> {
    const refused = await untilItWorks('hand a batch to the event log', () => append(records));
    if (refused === null) return false;
    if (refused === 'accepted') return true;
    const [outgoing] = batch;
    const [record] = records;
    if (batch.length > 1 || outgoing === undefined || record === undefined) {
      const half = Math.ceil(batch.length / 2);
      return (await ship(batch.slice(0, half), records.slice(0, half))) && (await ship(batch.slice(half), records.slice(half)));
    }
    log.error({ requestId: outgoing.requestId, reason: refused.message }, 'the event log refuses an event for good: it is set aside');
    const kept = await untilItWorks('set an event aside', () => options.setAside(outgoing, record, refused.message).then(() => true));
    return kept !== null;
  }

  async function append(records: readonly LogRecord[]): Promise<'accepted' | EventLogError> {
    try {
      await producer.append(topic, records);
      return 'accepted';
    } catch (error) {
      if (error instanceof EventLogError && !error.retryable) return error;
      throw error;
    }
  }

  /** What `act` gives once it does not throw; null when the sender ended first. */
  async function untilItWorks<T>(what: string, act: () => Promise<T>): Promise<T | null> {
    for (let attempt = 1; !ended; attempt++) {
      try {
        return await act();
      } catch (error) {
        const delayMs = backoffMs(attempt, RETRY, options.random);
        log.warn({ error, attempt, delayMs, unsent: outbox.length }, `could not ${what}, trying again`);
        await pause(timers, delayMs);
      }
    }
    return null;
  }

  return {
    wake: () => wakeUp(),
    async drain(deadline) {
      draining = true;
      wakeUp();
      await Promise.race([running, deadline]);
      ended = true;
      wakeUp();
    },
  };
}
