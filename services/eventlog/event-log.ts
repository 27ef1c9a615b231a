import type { LogRecord, StoredRecord } from '../../schema/events/log-record.ts';
import type { Topic } from '../../schema/events/topics.ts';

/**
 * The event log's port: what every adapter (embedded on local disk, Kafka) promises and what the conformance suite proves.
 * - Records of one key keep their order, because a key has one partition and a producer appends serially.
 * - A resolved `append` means the records are durable; a rejected or unanswered one means nothing is known, and the caller
 *   appends the same records again. Duplicates are therefore possible and are the consumer's to drop by event id.
 * - The consumer's position is its own: it says where to start when a partition is assigned, and the log never moves it.
 */
export interface EventLogProducer {
  /**
   * Appends in order and resolves when all are durable. At most one call may be in flight per producer.
   * @throws {EventLogError} `retryable` tells whether the same batch may succeed later.
   */
  append(topic: Topic, records: readonly LogRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** A run of records of one partition, in offset order, without gaps other than those the log itself has. */
export interface LogBatch {
  readonly partition: number;
  readonly records: readonly StoredRecord[];
  /** Offset after the newest record the log held when this batch was read; `highWater - last offset - 1` records are behind it. */
  readonly highWater: bigint;
}

export interface SubscribeOptions {
  readonly topic: Topic;
  /** Consumers of one group share the partitions; each partition has at most one live owner, fenced by the caller's epoch. */
  readonly group: string;
  /** Largest batch handed over; the log reads no further ahead than one batch a partition. */
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  /** Called when a partition becomes ours, before any batch of it; returns the offset to start from. */
  onAssigned(partition: number): Promise<bigint>;
  /** Called when a partition is no longer ours, where the log can tell; a batch under way may still be running. */
  onRevoked(partition: number): void;
  /**
   * Handles one batch; batches of one partition come one after another. A rejection stops that partition until it is
   * assigned again, after a delay, so that nothing is skipped.
   */
  onBatch(batch: LogBatch): Promise<void>;
  /** Told of every failure the subscription recovers from by itself. */
  onError(error: unknown): void;
}

export interface Subscription {
  /** Stops handing out batches of all partitions (back-pressure, database away) without losing the assignment. */
  pause(): void;
  resume(): void;
  /** Finishes the batches under way, takes no new ones, and leaves the group. */
  stop(): Promise<void>;
}

export interface EventLogConsumer {
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** First offset still held and the next to be written, by partition. */
  offsets(topic: Topic): Promise<ReadonlyMap<number, { readonly earliest: bigint; readonly next: bigint }>>;
  close(): Promise<void>;
}

/** A failure of the log. `retryable` is false when the same records can never be accepted (too large, unknown topic, wrong partition). */
export class EventLogError extends Error {
  override readonly name = 'EventLogError';
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable;
  }
}
