import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../schema/events/log-record.ts';
import { eventually } from '../harness/eventually.ts';
import { deleteTopics, freshTopic, kafkaClient, kafkaIsThere, runBrokers } from '../harness/kafka.ts';
import { testConsumer, testProducer } from '../services/eventlog/kafka/kafka-harness.ts';
import { factOf, fixtureVersions, readFixture } from './fixture.ts';

describe.skipIf(!kafkaIsThere).each(fixtureVersions)('the topic of version %s', (version) => {
  test('is read from a broker record for record, at its offsets, as what each said then', async () => {
    const { facts, topic: records } = await readFixture(version);
    const client = await kafkaClient(runBrokers());
    const topic = await freshTopic(client);
    expect(topic.partitions).toBe(facts.topic.partitions);
    const producer = testProducer(client);
    const consumer = testConsumer(client, topic);
    try {
      await producer.append(topic, records);
      const read: StoredRecord[] = [];
      const subscription = await consumer.subscribe({
        topic,
        group: 'upgrade',
        maxBatchRecords: 100,
        maxBatchBytes: 1_000_000,
        onAssigned: async () => 0n,
        onRevoked: () => {},
        onBatch: async (batch) => {
          read.push(...batch.records.map(({ key, partition, headers, value, offset }) => ({ key, partition, headers, value, offset })));
        },
        onError: () => {},
      });
      await eventually(() => read.length >= records.length, 40_000);
      await subscription.stop();
      read.sort((left, right) => left.partition - right.partition || Number(left.offset - right.offset));
      expect(read).toEqual(records);
      expect(read.map(factOf)).toEqual(facts.log.map(({ partition: _partition, offset: _offset, ...fact }) => fact));
    } finally {
      await producer.close();
      await consumer.close();
      await deleteTopics(client, [topic]);
    }
  });
});
