import type { Topic } from '../../../../schema/events/topics.ts';
import type { EventLogConsumer, EventLogProducer } from '../../../../services/eventlog/event-log.ts';
import { createKafkaConsumer } from '../../../../services/eventlog/kafka/consumer.ts';
import type { KafkajsClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import { createKafkaProducer } from '../../../../services/eventlog/kafka/producer.ts';
import { deleteTopics, freshTopic, kafkaClient, ownBroker, runBrokers } from '../../../harness/kafka.ts';
import type { CrashableLog, EventLogHarness, RunningLog } from '../conformance.ts';

/** Kafka for the conformance suite: a topic of its own on the run's broker, or a broker of its own that can be killed. */
export const kafkaHarness: EventLogHarness = {
  async start() {
    const client = await kafkaClient(runBrokers());
    const topic = await freshTopic(client);
    return { ...runningLog(client, topic), close: () => deleteTopics(client, [topic]) };
  },

  async startCrashable(): Promise<CrashableLog> {
    const broker = await ownBroker();
    const client = await kafkaClient([broker.address]);
    const topic = await freshTopic(client);
    return {
      topic,
      producer: async () => testProducer(client),
      crash: broker.kill,
      recover: async () => {
        await broker.start();
        return runningLog(client, topic);
      },
      close: broker.end,
    };
  },
};

/** A producer that gives up on a silent broker soon enough for a test. */
export function testProducer(client: KafkajsClient): EventLogProducer {
  return createKafkaProducer({ client, appendTimeoutMs: 10_000 });
}

/** A consumer that notices and tries again soon enough for a test, in groups of this topic's own: the broker serves other tests too. */
export function testConsumer(client: KafkajsClient, topic: Topic): EventLogConsumer {
  const consumer = createKafkaConsumer({ client, retryDelayMs: 100, heartbeatIntervalMs: 100, sessionTimeoutMs: 6_000 });
  return {
    ...consumer,
    subscribe: (options) => consumer.subscribe({ ...options, group: `${options.group}-${topic.name}` }),
  };
}

function runningLog(client: KafkajsClient, topic: Topic): RunningLog {
  return {
    topic,
    producer: async () => testProducer(client),
    consumer: async () => testConsumer(client, topic),
    close: async () => {},
  };
}
