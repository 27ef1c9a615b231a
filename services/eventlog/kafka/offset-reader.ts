import type { Topic } from '../../../schema/events/topics.ts';
import { EventLogError } from '../event-log.ts';
import { toEventLogError } from './faults.ts';
import type { KafkaAdmin, KafkaClient } from './kafka-client.ts';

type Held = { readonly earliest: bigint; readonly next: bigint };

/** Reads what a topic holds, over a connection opened when first needed and after each failure. */
export interface OffsetReader {
  /** @throws {EventLogError} also when the topic has not as many partitions as it should. */
  read(topic: Topic): Promise<ReadonlyMap<number, Held>>;
  close(): Promise<void>;
}

const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };

export function createOffsetReader(client: KafkaClient): OffsetReader {
  let connection: Promise<KafkaAdmin> | null = null;

  async function connect(): Promise<KafkaAdmin> {
    const admin = client.admin({ retry: RETRY });
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      await leave(admin);
      throw error;
    }
  }

  async function abandon(abandoned: Promise<KafkaAdmin>): Promise<void> {
    if (connection === abandoned) connection = null;
    await abandoned.then(leave, () => {});
  }

  return {
    async read(topic) {
      connection ??= connect();
      const mine = connection;
      try {
        const admin = await mine;
        // Not shared between callers: an answer begun before a caller's question could be older than what the caller knows.
        const found = await admin.fetchTopicOffsets(topic.name);
        if (found.length !== topic.partitions) {
          throw new EventLogError(`Kafka: ${topic.name} has ${found.length} partitions, not ${topic.partitions}`, { retryable: false });
        }
        return new Map(found.map(({ partition, low, high }) => [partition, { earliest: BigInt(low), next: BigInt(high) }]));
      } catch (error) {
        void abandon(mine);
        throw toEventLogError(error, `the offsets of ${topic.name} could not be read`);
      }
    },
    async close() {
      if (connection !== null) await abandon(connection);
    },
  };
}

async function leave(admin: KafkaAdmin): Promise<void> {
  await admin.disconnect().catch(() => {});
}
