import type { EachBatchPayload } from 'kafkajs';
import type { Random } from '../../runtime/random.ts';
import { backoffMs } from '../backoff.ts';
import type { SubscribeOptions, Subscription } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import { pause } from '../timers.ts';
import { toEventLogError } from './faults.ts';
import type { KafkaClient, KafkaConsumer } from './kafka-client.ts';
import { createOffsetHints } from './offset-hints.ts';
import type { PartitionFlow, PartitionReader } from './partition-reader.ts';
import { createPartitionReader } from './partition-reader.ts';
import { parseMessage } from './stored-record.ts';
import { createWatchdog } from './watchdog.ts';

export interface MemberOptions {
  readonly client: KafkaClient;
  readonly subscription: SubscribeOptions;
  readonly timers: Timers;
  readonly random: Random;
  readonly retryDelayMs: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** What a partition holds now. */
  held(partition: number): Promise<{ readonly earliest: bigint; readonly next: bigint }>;
}

/** Longest wait for new records: a partition that was paused is fetched again after it at the latest. */
const FETCH_WAIT_MS = 100;
/** How long a fetch waits for the batches of the last one before it goes on without their partitions. */
const PATIENCE_MS = 100;
const REBALANCE_TIMEOUT_MS = 60_000;
/** Longer than any join may take. */
const SILENCE_TIMEOUT_MS = 120_000;
const LEAVE_TIMEOUT_MS = 5_000;
const MIN_FETCH_BYTES = 128 * 1_024;
const MAX_FETCH_BYTES = 4 * 1_024 * 1_024;
const RECONNECT = { firstMs: 200, mostMs: 5_000 };
const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false };

/**
 * A member of a Kafka consumer group, from the call until `stop`: it joins, reads what it is assigned, and whenever kafkajs gives
 * up (it "crashes") or goes silent, says so and joins again with a new kafkajs consumer. Kafka decides who reads which partition
 * and nothing else: where to read from is asked of the subscriber, and the offset committed afterwards is a hint for people's tools.
 */
export function startMember(options: MemberOptions): Subscription {
  const { subscription, timers } = options;
  const { topic } = subscription;
  const readers = new Map<number, PartitionReader>();
  const hints = createOffsetHints(
    async (offsets) =>
      consumer?.commitOffsets(offsets.map(([partition, offset]) => ({ topic: topic.name, partition, offset: offset.toString() }))),
    timers,
  );
  let consumer: KafkaConsumer | null = null;
  let memberId = '';
  let failures = 0;
  let paused = false;
  let rebalancing = false;
  let stopping = false;
  let leave: () => void = () => {};
  const leaving = new Promise<void>((resolve) => {
    leave = resolve;
  });

  function report(error: unknown): void {
    try {
      subscription.onError(error);
    } catch {
      // The port asks to be told, not to be stopped.
    }
  }

  /** kafkajs refuses while it is between two lives; the next join states everything anew. */
  function tell(what: (member: KafkaConsumer) => void): void {
    try {
      if (consumer !== null) what(consumer);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'KafkaJSNonRetriableError') throw error;
    }
  }

  const flow: PartitionFlow = {
    seek: (partition, offset) => tell((member) => member.seek({ topic: topic.name, partition, offset: offset.toString() })),
    pause: (partition) => tell((member) => member.pause([{ topic: topic.name, partitions: [partition] }])),
    resume: (partition) => tell((member) => member.resume([{ topic: topic.name, partitions: [partition] }])),
  };

  function revoke(reader: PartitionReader): void {
    readers.delete(reader.partition);
    hints.forget(reader.partition);
    reader.giveUp();
    try {
      subscription.onRevoked(reader.partition);
    } catch (error) {
      report(error);
    }
  }

  function assign(partition: number): void {
    // Nothing is fetched before the subscriber has said from where.
    flow.pause(partition);
    const reader = createPartitionReader({
      partition,
      subscription,
      flow,
      timers,
      retryDelayMs: options.retryDelayMs,
      patienceMs: PATIENCE_MS,
      mayHandOut: () => !paused && !rebalancing && !stopping,
      held: () => options.held(partition),
      onHandled: (nextOffset) => {
        if (readers.get(partition) === reader) hints.note(partition, nextOffset);
      },
      report,
    });
    readers.set(partition, reader);
  }

  /** Partitions that stay with the same member are read on without a word; a new member may have missed another owner. */
  function onJoined(joinedAs: string, partitions: readonly number[]): void {
    failures = 0;
    rebalancing = false;
    const mine = new Set(stopping ? [] : partitions);
    for (const reader of readers.values()) if (joinedAs !== memberId || !mine.has(reader.partition)) revoke(reader);
    memberId = joinedAs;
    for (const partition of mine) {
      const kept = readers.get(partition);
      if (kept === undefined) assign(partition);
      else kept.restate();
    }
    wakeAll();
  }

  function wakeAll(): void {
    for (const reader of readers.values()) reader.wake();
  }

  async function onFetched({ batch }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    await readers.get(partition)?.take({
      from: fetchedFrom(batch),
      end: BigInt(batch.lastOffset()) + 1n,
      records: batch.messages.map((message) => parseMessage(partition, message)),
      highWater: BigInt(batch.highWatermark),
    });
  }

  /** One life in the group: resolves when we leave, rejects when it ended by itself. */
  async function takePart(joining: KafkaConsumer): Promise<void> {
    const watchdog = createWatchdog(SILENCE_TIMEOUT_MS, timers);
    const { events } = joining;
    const ended = new Promise<never>((_resolve, reject) => {
      joining.on(events.CRASH, ({ payload }) => reject(payload.error));
      void watchdog.silent.then(() => reject(new EventLogError('Kafka: the consumer went silent', { retryable: true })));
    });
    // Whoever comes first wins; the other must not count as unhandled.
    ended.catch(() => {});
    joining.on(events.FETCH_START, watchdog.feed);
    joining.on(events.REBALANCING, () => {
      rebalancing = true;
    });
    joining.on(events.GROUP_JOIN, ({ payload }) => {
      watchdog.feed();
      onJoined(payload.memberId, payload.memberAssignment[topic.name] ?? []);
    });
    joining.on(events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0 || payload.firstOffset === null) return;
      readers.get(payload.partition)?.skip(BigInt(payload.firstOffset), BigInt(payload.lastOffset) + 1n);
    });
    try {
      await joining.connect();
      await joining.subscribe({ topics: [topic.name], fromBeginning: true });
      const running = joining.run({ autoCommit: false, partitionsConsumedConcurrently: topic.partitions, eachBatch: onFetched });
      // A join that is still under way when we leave ends by itself, and must not leave a member behind.
      void running.then(() => (stopping ? leaveGroup(joining) : undefined));
      await Promise.race([running.then(() => Promise.race([ended, leaving])), ended, leaving.then(() => pause(timers, LEAVE_TIMEOUT_MS))]);
    } finally {
      watchdog.end();
    }
  }

  async function live(): Promise<void> {
    while (!stopping) {
      const joining = options.client.consumer({
        groupId: subscription.group,
        sessionTimeout: options.sessionTimeoutMs,
        heartbeatInterval: options.heartbeatIntervalMs,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        maxWaitTimeInMs: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytesPerPartition: Math.min(Math.max(subscription.maxBatchBytes, MIN_FETCH_BYTES), MAX_FETCH_BYTES),
        allowAutoTopicCreation: false,
        retry: RETRY,
      });
      consumer = joining;
      try {
        await takePart(joining);
      } catch (error) {
        if (!stopping) report(toEventLogError(error, `the consumer of ${topic.name} starts anew`));
      }
      if (stopping) await hints.flush();
      consumer = null;
      for (const reader of readers.values()) revoke(reader);
      // A broker that is away cannot be said goodbye to.
      await Promise.race([leaveGroup(joining), pause(timers, LEAVE_TIMEOUT_MS)]);
      if (!stopping) await Promise.race([leaving, pause(timers, backoffMs(++failures, RECONNECT, options.random))]);
    }
  }

  const living = live();
  return {
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      wakeAll();
    },
    async stop() {
      stopping = true;
      hints.end();
      const under = [...readers.values()];
      // Still members while batches under way end, so that the next owners start behind them.
      for (const reader of under) reader.giveUp();
      await Promise.all(under.map(({ running }) => running));
      leave();
      await living;
    },
  };
}

async function leaveGroup(consumer: KafkaConsumer): Promise<void> {
  await consumer.disconnect().catch(() => {});
}

/**
 * The offset that was asked for. kafkajs has it and does not declare it; a batch's first record may lie behind it where the log
 * has holes of its own.
 */
function fetchedFrom(batch: EachBatchPayload['batch']): bigint {
  const from: unknown = Reflect.get(batch, 'fetchedOffset');
  if (typeof from !== 'string') throw new Error('kafkajs no longer says which offset it fetched from');
  return BigInt(from);
}
