import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Topic } from '../../../../schema/events/topics.ts';
import type { EventLogConsumer, EventLogProducer } from '../../../../services/eventlog/event-log.ts';
import { createKafkaConsumer } from '../../../../services/eventlog/kafka/consumer.ts';
import type { KafkajsClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import { ensureTopic } from '../../../../services/eventlog/kafka/topic.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { FaultProxy } from '../../../harness/fault-proxy.ts';
import { startFaultProxy } from '../../../harness/fault-proxy.ts';
import { freePort } from '../../../harness/free-port.ts';
import { freshTopic, kafkaClient, ownBroker, ownBrokersAreThere, singleBroker } from '../../../harness/kafka.ts';
import type { KafkaBroker } from '../../../harness/kafka-broker.ts';
import { appendSurely, Books, startTraffic, testRecord, trafficKeys } from './books.ts';
import { testConsumer, testProducer } from './kafka-harness.ts';

describe.skipIf(!ownBrokersAreThere)('Kafka in trouble', () => {
  let proxy: FaultProxy;
  let broker: KafkaBroker;
  let client: KafkajsClient;

  beforeAll(async () => {
    const port = await freePort();
    proxy = await startFaultProxy(port);
    broker = await ownBroker({ port, advertisedPort: proxy.port });
    client = await kafkaClient([broker.address]);
  });
  afterAll(async () => {
    await broker?.end();
    await proxy?.close();
  });

  const producing = (): EventLogProducer => {
    const producer = testProducer(client);
    onTestFinished(() => producer.close());
    return producer;
  };
  const consuming = (topic: Topic): EventLogConsumer => {
    const consumer = testConsumer(client, topic);
    onTestFinished(() => consumer.close());
    return consumer;
  };
  const expectAllBooked = (books: Books, rounds: number): void => {
    for (const key of trafficKeys) expect(books.booked.get(key)).toEqual(Array.from({ length: rounds }, (_, number) => number));
  };

  test.each(['stop', 'kill'] as const)(
    'a broker that is told to %s in the middle and comes back costs no record and no order',
    {
      timeout: 600_000,
    },
    async (deed) => {
      const topic = await freshTopic(client);
      const books = new Books();
      await consuming(topic).subscribe(books.subscriber(topic));
      const traffic = startTraffic(producing(), topic);
      await eventually(() => books.size > 200, 30_000);
      await broker[deed]();
      await eventually(() => traffic.refusals() > 0, 30_000);
      await broker.start();
      const after = traffic.rounds() + 20;
      await eventually(() => traffic.rounds() > after, 60_000);
      const rounds = await traffic.stop();
      await eventually(() => books.size === rounds * trafficKeys.length, 60_000);
      expectAllBooked(books, rounds);
      // What was in flight at that moment, once for each refusal at most.
      expect(books.duplicates).toBeLessThanOrEqual(traffic.refusals() * trafficKeys.length);
    },
  );

  test('an acknowledgement that is cut off is no acknowledgement: the batch is doubled, never lost', { timeout: 600_000 }, async () => {
    onTestFinished(() => proxy.heal());
    const topic = await freshTopic(client);
    const producer = producing();
    await producer.append(topic, [testRecord(topic, 'key_cut', 0)]);
    proxy.cutAfter(0);
    const batch = [testRecord(topic, 'key_cut', 1), testRecord(topic, 'key_cut', 2)];
    await expect(producer.append(topic, batch)).rejects.toMatchObject({ name: 'EventLogError', retryable: true });
    proxy.heal();
    await producer.append(topic, batch);
    const consumer = consuming(topic);
    // The broker had taken it the first time.
    expect((await consumer.offsets(topic)).get(batch[0]?.partition ?? -1)).toEqual({ earliest: 0n, next: 5n });
    const books = new Books();
    await consumer.subscribe(books.subscriber(topic));
    await eventually(() => books.size === 3 && books.duplicates === 2, 30_000);
    expect(books.booked.get('key_cut')).toEqual([0, 1, 2]);
  });

  test('wherever an answer is cut, each record comes through, in order', { timeout: 600_000 }, async () => {
    onTestFinished(() => proxy.heal());
    const topic = await freshTopic(client);
    const producer = producing();
    const cutsAtStart = proxy.cuts();
    const places = [1, 3, 4, 8, 20, 40, 57, 80, 150, 300];
    for (const [number, bytes] of places.entries()) {
      const cuts = proxy.cuts();
      let sent = false;
      proxy.cutAfter(bytes);
      const sending = appendSurely(
        producer,
        topic,
        trafficKeys.map((key) => testRecord(topic, key, number)),
      ).then(() => {
        sent = true;
      });
      // The longer it lets through, the likelier the whole answer.
      await eventually(() => sent || proxy.cuts() > cuts);
      proxy.heal();
      await sending;
    }
    expect(proxy.cuts() - cutsAtStart).toBeGreaterThanOrEqual(5);
    const books = new Books();
    await consuming(topic).subscribe(books.subscriber(topic));
    await eventually(() => books.size === places.length * trafficKeys.length, 30_000);
    expectAllBooked(books, places.length);
  });

  test('a consumer whose answers are cut reads on where it was', { timeout: 600_000 }, async () => {
    onTestFinished(() => proxy.heal());
    const topic = await freshTopic(client);
    const books = new Books();
    await consuming(topic).subscribe(books.subscriber(topic));
    const traffic = startTraffic(producing(), topic);
    for (const bytes of [0, 2, 5, 30, 500, 3_000]) {
      const { size } = books;
      await eventually(() => books.size > size + 50, 30_000);
      const cuts = proxy.cuts();
      proxy.cutAfter(bytes);
      await eventually(() => proxy.cuts() > cuts + 2, 30_000);
      proxy.heal();
    }
    const rounds = await traffic.stop();
    await eventually(() => books.size === rounds * trafficKeys.length, 60_000);
    expectAllBooked(books, rounds);
  });

  test('in a storm of members that come and go each record is booked once', { timeout: 600_000 }, async () => {
    const topic = await freshTopic(client);
    const books = new Books();
    await consuming(topic).subscribe(books.subscriber(topic, { maxBatchRecords: 7 }));
    const traffic = startTraffic(producing(), topic);
    const others = [consuming(topic), consuming(topic)];
    const storm = async (consumer: EventLogConsumer): Promise<void> => {
      for (let visit = 0; visit < 8; visit++) {
        let mine = 0;
        const base = books.subscriber(topic, { maxBatchRecords: 3 });
        const onBatch: typeof base.onBatch = async (batch) => {
          await base.onBatch(batch);
          mine++;
        };
        const subscription = await consumer.subscribe({ ...base, onBatch });
        // Every other visit ends before it has been given anything.
        if (visit % 2 === 0) await eventually(() => mine > 3, 60_000);
        await subscription.stop();
      }
    };
    await Promise.all(others.map(storm));
    const rounds = await traffic.stop();
    await eventually(() => books.size === rounds * trafficKeys.length, 60_000);
    expectAllBooked(books, rounds);
    // Whatever was refused, an answer that came too late included, may be there twice; nothing else.
    expect(books.duplicates).toBeLessThanOrEqual(traffic.refusals() * trafficKeys.length);
  });

  test('a batch that takes longer than the session costs neither the partition nor the others their records', {
    timeout: 300_000,
  }, async () => {
    const topic = await freshTopic(client);
    const consumer = createKafkaConsumer({ client, retryDelayMs: 100, heartbeatIntervalMs: 100, sessionTimeoutMs: 2_000 });
    onTestFinished(() => consumer.close());
    const books = new Books();
    const revoked: number[] = [];
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow = testRecord(topic, 'key_0', 0).partition;
    const base = books.subscriber(topic);
    const subscription = await consumer.subscribe({
      ...base,
      group: topic.name,
      onRevoked: (partition) => void revoked.push(partition),
      onBatch: async (batch) => {
        if (batch.partition === slow) await held;
        await base.onBatch(batch);
      },
    });
    const traffic = startTraffic(producing(), topic);
    const startedAt = performance.now();
    await eventually(() => performance.now() - startedAt > 5_000 && books.size > 100, 30_000);
    const rounds = await traffic.stop();
    expect(revoked).toEqual([]);
    letGo();
    await eventually(() => books.size === rounds * trafficKeys.length, 30_000);
    expectAllBooked(books, rounds);
    await subscription.stop();
  });

  test('a topic that was deleted and made again is an error that a person must settle, never read as if it were the old one', {
    timeout: 600_000,
  }, async () => {
    const topic = await freshTopic(client);
    const producer = producing();
    const write = (from: number, count: number): Promise<void> =>
      appendSurely(
        producer,
        topic,
        Array.from({ length: count }, (_, index) => testRecord(topic, 'key_again', from + index)),
      );
    await write(0, 20);
    const books = new Books();
    await consuming(topic).subscribe(books.subscriber(topic));
    await eventually(() => books.size === 20, 30_000);

    const admin = client.admin({});
    await admin.connect();
    await admin.deleteTopics({ topics: [topic.name] });
    await admin.disconnect();
    await eventually(
      () =>
        ensureTopic(client, topic, singleBroker).then(
          () => true,
          () => false,
        ),
      30_000,
    );
    await write(100, 5);
    await eventually(() => books.errors.some((error) => /is to be read from 20, the log holds 0 to 5/.test(String(error))), 60_000);
    expect(books.size).toBe(20);

    // What the person decides: from here on, the new one.
    books.offsets.clear();
    await eventually(() => books.size === 25, 30_000);
  });

  test('a batch above the size that the topic takes is refused for good, and the next one is taken', async () => {
    const topic = await freshTopic(client);
    const producer = producing();
    const admin = client.admin({});
    await admin.connect();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic.name, configEntries: [{ name: 'max.message.bytes', value: '2000' }] }],
    });
    await admin.disconnect();
    await eventually(async () => {
      await expect(producer.append(topic, [testRecord(topic, 'key_large', 0, 10_000)])).rejects.toMatchObject({
        name: 'EventLogError',
        retryable: false,
      });
      return true;
    });
    await producer.append(topic, [testRecord(topic, 'key_large', 1)]);
  });

  test('what is refused at once, a second call in flight, leaves the first alone', async () => {
    const topic = await freshTopic(client);
    const producer = producing();
    const first = producer.append(topic, [testRecord(topic, 'key_two', 0)]);
    await expect(producer.append(topic, [testRecord(topic, 'key_two', 1)])).rejects.toMatchObject({
      name: 'EventLogError',
      retryable: true,
    });
    await first;
    await producer.append(topic, [testRecord(topic, 'key_two', 2)]);
    expect((await consuming(topic).offsets(topic)).get(testRecord(topic, 'key_two', 0).partition)).toEqual({ earliest: 0n, next: 2n });
  });

  test('nothing of it makes Node warn', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', listen);
    onTestFinished(() => void process.off('warning', listen));
    const topic = await freshTopic(client);
    const books = new Books();
    await consuming(topic).subscribe(books.subscriber(topic));
    await producing().append(topic, [testRecord(topic, 'key_quiet', 0)]);
    await eventually(() => books.size === 1, 30_000);
    expect(warnings).toEqual([]);
  });
});
