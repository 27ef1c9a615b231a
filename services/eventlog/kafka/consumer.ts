import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { EventLogConsumer, Subscription } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import type { KafkaClient } from './kafka-client.ts';
import { startMember } from './member.ts';
import { createOffsetReader } from './offset-reader.ts';

export interface KafkaConsumerOptions {
  readonly client: KafkaClient;
  /** Wait before a partition whose batch failed is assigned again. Default 1 s. */
  readonly retryDelayMs?: number;
  /** A member that has not been heard of for as long loses its partitions. Default 30 s; batches may take longer. */
  readonly sessionTimeoutMs?: number;
  /** How soon a member learns that partitions are being shared out anew. Default 1 s. */
  readonly heartbeatIntervalMs?: number;
  readonly timers?: Timers;
  readonly random?: Random;
}

/**
 * A consumer of Kafka. `subscribe` resolves at once: brokers that are away, a topic that is missing or a permission that is
 * lost are told to `onError` and tried again until `stop`, so that a process can start before its brokers do.
 */
export function createKafkaConsumer(options: KafkaConsumerOptions): EventLogConsumer {
  const timers = options.timers ?? systemTimers;
  const offsets = createOffsetReader(options.client);
  const subscriptions = new Set<Subscription>();
  return {
    async subscribe(subscription) {
      const member = startMember({
        client: options.client,
        subscription,
        timers,
        random: options.random ?? systemRandom,
        retryDelayMs: options.retryDelayMs ?? 1_000,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
        heartbeatIntervalMs: options.heartbeatIntervalMs ?? 1_000,
        held: async (partition) => (await offsets.read(subscription.topic)).get(partition) ?? { earliest: 0n, next: 0n },
      });
      subscriptions.add(member);
      return {
        pause: member.pause,
        resume: member.resume,
        stop: async () => {
          subscriptions.delete(member);
          await member.stop();
        },
      };
    },
    offsets: offsets.read,
    async close() {
      await Promise.all([...subscriptions].map((member) => member.stop()));
      subscriptions.clear();
      await offsets.close();
    },
  };
}
