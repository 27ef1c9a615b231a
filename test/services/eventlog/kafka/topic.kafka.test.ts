import { randomBytes } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Topic } from '../../../../schema/events/topics.ts';
import type { KafkajsClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import { ensureTopic, inspectTopic } from '../../../../services/eventlog/kafka/topic.ts';
import { eventually } from '../../../harness/eventually.ts';
import { deleteTopics, kafkaClient, kafkaIsThere, runBrokers, singleBroker } from '../../../harness/kafka.ts';

describe.skipIf(!kafkaIsThere)('the topic', () => {
  let client: KafkajsClient;
  let admin: Admin;
  beforeAll(async () => {
    client = await kafkaClient(runBrokers());
    admin = client.admin({});
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await deleteTopics(client, created);
  });

  const aTopic = (partitions = 5): Topic => ({ name: `turnpike.test.${randomBytes(6).toString('hex')}`, partitions, key: 'apiKeyId' });
  const created: Topic[] = [];
  const aCreatedTopic = async (): Promise<Topic> => {
    const topic = aTopic();
    created.push(topic);
    await ensureTopic(client, topic, singleBroker);
    return topic;
  };
  const configOf = async ({ name }: Topic): Promise<Map<string, string>> => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name }] });
    return new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]));
  };

  test('is created as stated, once, however many processes start at the same moment', async () => {
    const topic = aTopic();
    created.push(topic);
    await Promise.all(Array.from({ length: 4 }, () => ensureTopic(client, topic, singleBroker)));
    await ensureTopic(client, topic, singleBroker);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
    expect(topics[0]?.partitions).toHaveLength(5);
    const config = await configOf(topic);
    expect(Object.fromEntries(config)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '3600000',
      'retention.bytes': '-1',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'false',
      'max.message.bytes': '1048588',
      'compression.type': 'uncompressed',
    });
  });

  test('that has another number of partitions is refused, and left as it is', async () => {
    const topic = await aCreatedTopic();
    await expect(ensureTopic(client, { ...topic, partitions: 6 }, singleBroker)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining('5 partitions, not 6'),
    });
    expect((await admin.fetchTopicMetadata({ topics: [topic.name] })).topics[0]?.partitions).toHaveLength(5);
  });

  test('that differs in what keeps records safe is refused with every difference and the command for each', async () => {
    const topic = await aCreatedTopic();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: topic.name,
          configEntries: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'retention.ms', value: '1000' },
            { name: 'max.message.bytes', value: '1000' },
          ],
        },
      ],
    });
    await eventually(async () => (await configOf(topic)).get('max.message.bytes') === '1000');
    const refusal = await ensureTopic(client, topic, { ...singleBroker, replicationFactor: 3 }).catch((error: unknown) => String(error));
    expect(refusal).toContain('1 replicas, not 3');
    expect(refusal).toContain(
      `cleanup.policy=compact, not delete: kafka-configs.sh --alter --entity-type topics --entity-name ${topic.name} --add-config cleanup.policy=delete`,
    );
    expect(refusal).toContain('retention.ms=1000, not 3600000');
    expect(refusal).toContain('KAFKA_TOPIC_RETENTION_HOURS');
    expect(refusal).toContain('max.message.bytes=1000, too little for one event');
  });

  test('that wants more copies than there are brokers is refused with what to set', async () => {
    await expect(ensureTopic(client, aTopic(), { ...singleBroker, replicationFactor: 3 })).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining('KAFKA_TOPIC_REPLICATION'),
    });
  });

  test('is looked at without being made, and tells what it has ever held', async () => {
    const topic = aTopic();
    created.push(topic);
    expect(await inspectTopic(client, topic, singleBroker)).toBeNull();
    expect(await admin.listTopics()).not.toContain(topic.name);
    await ensureTopic(client, topic, singleBroker);
    expect(await inspectTopic(client, topic, singleBroker)).toBe(0n);
    const producer = client.producer({});
    await producer.connect();
    const messages = [0, 1, 1].map((partition) => ({ partition, value: 'x' }));
    await producer.sendBatch({ topicMessages: [{ topic: topic.name, messages }] });
    await producer.disconnect();
    expect(await inspectTopic(client, topic, singleBroker)).toBe(3n);
    await expect(inspectTopic(client, { ...topic, partitions: 6 }, singleBroker)).rejects.toThrow('5 partitions, not 6');
  });

  test('of brokers that are away is an error that may pass', async () => {
    const nobody = await kafkaClient(['127.0.0.1:1']);
    await expect(ensureTopic(nobody, aTopic(), singleBroker)).rejects.toMatchObject({ name: 'EventLogError', retryable: true });
  });
});
