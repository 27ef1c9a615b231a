import type { RecordMetadata } from 'kafkajs';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import type { EventLogProducer } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import { recordFault } from '../record-codec.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import { toEventLogError } from './faults.ts';
import type { KafkaClient, KafkaProducer } from './kafka-client.ts';

export interface KafkaProducerOptions {
  readonly client: KafkaClient;
  /** Longest wait for a connection and the acknowledgement; after it nothing is known of the batch. Default 30 s. */
  readonly appendTimeoutMs?: number;
  readonly timers?: Timers;
}

/** Longest time the leader waits for its followers. */
const REPLICATION_TIMEOUT_MS = 10_000;
/** kafkajs waits for what is in flight before it closes a connection. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * A producer of one topic's records: one send in flight, `acks=all`, the record's own partition, and a new connection after any
 * failure, so that whatever state the old one was in (out of sequence, fenced, half closed) is left behind with it.
 *
 * It is not idempotent in Kafka's sense, and does not retry: kafkajs gives a sequence number back when a send fails, so that
 * another batch may take it and be dropped by the broker as a duplicate (reference/ledger.md 5.1, defect A). Without sequence
 * numbers a lost acknowledgement can only double records, which their event ids undo, and never lose one.
 */
export function createKafkaProducer(options: KafkaProducerOptions): EventLogProducer {
  const timers = options.timers ?? systemTimers;
  const appendTimeoutMs = options.appendTimeoutMs ?? 30_000;
  let connection: Promise<KafkaProducer> | null = null;
  let inFlight = false;
  let closed = false;

  async function connect(): Promise<KafkaProducer> {
    const producer = options.client.producer({
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? -1,
      idempotent: false,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await leave(producer);
      throw error;
    }
  }

  async function send(mine: Promise<KafkaProducer>, topic: Topic, records: readonly LogRecord[]): Promise<void> {
    const producer = await mine;
    // Nobody waits any more: the batch may be under way on another connection.
    if (connection !== mine) return;
    const acknowledged = await producer.sendBatch({
      acks: -1,
      timeout: REPLICATION_TIMEOUT_MS,
      topicMessages: [
        {
          topic: topic.name,
          messages: records.map(({ key, partition, headers, value }) => ({ key, partition, headers: { ...headers }, value })),
        },
      ],
    });
    refuseUnacknowledged(topic, records, acknowledged);
  }

  /** kafkajs passes over, silently, records of a partition that it finds no leader for. */
  function refuseUnacknowledged(topic: Topic, records: readonly LogRecord[], acknowledged: readonly RecordMetadata[]): void {
    const taken = new Set(acknowledged.filter(({ errorCode }) => errorCode === 0).map(({ partition }) => partition));
    const missing = new Set(records.map(({ partition }) => partition).filter((partition) => !taken.has(partition)));
    if (missing.size === 0) return;
    throw new EventLogError(
      `Kafka: partition ${[...missing].join(', ')} of ${topic.name} did not acknowledge; has it ${topic.partitions}?`,
      {
        retryable: true,
      },
    );
  }

  /** Lets go of a connection. What it still has in flight is waited for, or kafkajs would connect again to finish it. */
  function abandon(mine: Promise<KafkaProducer>, sending: Promise<void>): void {
    connection = null;
    const disconnect = (): Promise<void> => mine.then(leave, () => {});
    void sending.then(disconnect, disconnect);
  }

  return {
    async append(topic, records) {
      if (closed) throw new EventLogError('The producer is closed', { retryable: false });
      if (inFlight) throw new EventLogError('Another append is in flight', { retryable: true });
      const fault = records.map((record) => recordFault(record, topic.partitions)).find((found) => found !== null);
      if (fault) throw new EventLogError(fault, { retryable: false });
      if (records.length === 0) return;
      inFlight = true;
      connection ??= connect();
      const mine = connection;
      const sending = send(mine, topic, records);
      try {
        await within(sending, appendTimeoutMs, timers);
      } catch (error) {
        abandon(mine, sending);
        throw toEventLogError(error, `a batch of ${records.length} was not acknowledged`);
      } finally {
        inFlight = false;
      }
    },
    async close() {
      closed = true;
      const closing = connection;
      connection = null;
      if (closing !== null) await within(closing.then(leave), CLOSE_TIMEOUT_MS, timers).catch(() => {});
    },
  };
}

async function leave(producer: KafkaProducer): Promise<void> {
  await producer.disconnect().catch(() => {});
}

/** @throws EventLogError when `promise` has not settled after `timeoutMs`. */
function within(promise: Promise<void>, timeoutMs: number, timers: Timers): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(timeoutMs, () => reject(new EventLogError(`Kafka: no answer within ${timeoutMs} ms`, { retryable: true })));
    promise.then(resolve, reject).finally(cancel);
  });
}
