import type { Admin } from 'kafkajs';
import { KafkaJSProtocolError } from 'kafkajs';
import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import type { KafkaClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import { ensureTopic } from '../../../../services/eventlog/kafka/topic.ts';

const unknown = (): Error => {
  const type = 'UNKNOWN_TOPIC_OR_PARTITION';
  return Object.assign(new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 3, retriable: true })), { type });
};
const notAsked = (): never => {
  throw new Error('nobody should have asked');
};

test('a broker that has not heard of the topic it has just been told to make is waited for', async () => {
  let looks = 0;
  const client: KafkaClient = {
    producer: notAsked,
    consumer: notAsked,
    admin: () => ({
      connect: async () => {},
      disconnect: async () => {},
      listTopics: async () => [],
      // As kafkajs does it: the leaders are asked for once, and a topic that is unknown is an error.
      createTopics: async ({ waitForLeaders = true }: Parameters<Admin['createTopics']>[0]) => {
        if (waitForLeaders) throw unknown();
        return true;
      },
      fetchTopicOffsets: async () => {
        looks += 1;
        if (looks < 3) throw unknown();
        return [];
      },
      fetchTopicMetadata: notAsked,
      describeConfigs: notAsked,
    }),
  };
  await ensureTopic(client, REQUESTS_TOPIC, { replicationFactor: 1, minInSyncReplicas: 1, retentionMs: 1_000 });
  expect(looks).toBe(3);
});
