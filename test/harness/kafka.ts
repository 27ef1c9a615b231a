import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { Topic } from '../../schema/events/topics.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import type { KafkajsClient } from '../../services/eventlog/kafka/kafka-client.ts';
import { createKafkaClient } from '../../services/eventlog/kafka/kafka-client.ts';
import { ensureTopic } from '../../services/eventlog/kafka/topic.ts';
import type { KafkaConnection } from '../../services/runtime/kafka-environment.ts';
import type { KafkaBroker, KafkaBrokerOptions } from './kafka-broker.ts';
import { startKafkaBroker } from './kafka-broker.ts';
import { recordingLog } from './recording-log.ts';

/** Whether there is a Kafka for this run; only in files named `*.kafka.test.ts`, whose setup looks for one. */
export const kafkaIsThere = inject('kafkaBrokers') !== null;
/** Whether a test may have a broker of its own. */
export const ownBrokersAreThere = inject('kafkaRuntime') !== null;

/** What one broker without copies can give. */
export const singleBroker = { replicationFactor: 1, minInSyncReplicas: 1, retentionMs: 3_600_000 };

/** `host:port` of the run's brokers. */
export function runBrokers(): readonly string[] {
  const brokers = inject('kafkaBrokers');
  if (brokers === undefined || brokers === null)
    throw new Error('no Kafka here: a test that needs one belongs in a file named *.kafka.test.ts');
  return brokers.split(',');
}

/** A broker of the test's own, to stop and kill. The caller ends it. */
export function ownBroker(options: Omit<KafkaBrokerOptions, 'runtime'> = {}): Promise<KafkaBroker> {
  const runtime = inject('kafkaRuntime');
  if (runtime === undefined || runtime === null) throw new Error('no way to run a Kafka here');
  return startKafkaBroker({ ...options, runtime });
}

/** A client that gives up on a silent broker soon enough for a test. */
export function kafkaClient(brokers: readonly string[], security: Partial<KafkaConnection> = {}): Promise<KafkajsClient> {
  return createKafkaClient({
    connection: { brokers, tls: null, login: null, ...security },
    clientId: 'turnpike-test',
    log: recordingLog(),
    requestTimeoutMs: 5_000,
  });
}

/** A topic of the test's own, as the product creates it. */
export async function freshTopic(client: KafkajsClient): Promise<Topic> {
  const topic: Topic = { ...REQUESTS_TOPIC, name: `turnpike.test.${randomBytes(6).toString('hex')}` };
  await ensureTopic(client, topic, singleBroker);
  return topic;
}

/** Brokers that were given outlive the run, and should not be left full of its topics. */
export async function deleteTopics(client: KafkajsClient, topics: readonly Topic[]): Promise<void> {
  const admin = client.admin({});
  await admin.connect();
  try {
    await admin.deleteTopics({ topics: topics.map(({ name }) => name) });
  } finally {
    await admin.disconnect();
  }
}
