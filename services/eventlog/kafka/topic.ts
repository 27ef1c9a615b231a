import type { Topic } from '../../../schema/events/topics.ts';
import type { KafkaTopicSettings } from '../../runtime/kafka-environment.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { MAX_RECORD_BYTES } from '../record-codec.ts';
import { pause, systemTimers } from '../timers.ts';
import { brokerErrorType, toEventLogError } from './faults.ts';
import type { KafkaAdmin, KafkaClient } from './kafka-client.ts';

/** Room for the batch around one record. */
const BATCH_OVERHEAD_BYTES = 1_024;
/** What Kafka itself gives a topic; a batch of the spool's sender is half of it. */
const MAX_MESSAGE_BYTES = 1_048_588;
/** kafkajs' `ConfigResourceTypes.TOPIC`, which Node does not see in its CommonJS. */
const TOPIC_RESOURCE = 2;
const CREATE_TIMEOUT_MS = 30_000;
const LEADER_LOOK_MS = 50;
const LEADER_LOOKS = 200;
const NO_LEADER_YET: ReadonlySet<string> = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION']);
const RETRY = { retries: 8, initialRetryTime: 100, maxRetryTime: 1_000 };

/**
 * Creates the topic with what `settings` state, or compares the one that is there with them; then it can be written to and read.
 * @throws StartRefusal when it differs, naming each difference and the command that mends it. It is never changed from here:
 * a smaller retention deletes records, and partitions once added cannot be taken away.
 * @throws {EventLogError} when the brokers cannot be asked.
 */
export async function ensureTopic(client: KafkaClient, topic: Topic, settings: KafkaTopicSettings): Promise<void> {
  await asking(client, `the topic ${topic.name} could not be made sure of`, async (admin) => {
    const isOurs = await create(admin, topic, settings);
    await untilLed(admin, topic);
    if (!isOurs) await refuseDifferent(admin, topic, settings);
  });
}

/**
 * How many records the topic has ever held, also those that its retention deleted; null where it is not there. Nothing is changed.
 * @throws StartRefusal when it differs, as `ensureTopic` does. @throws {EventLogError} when the brokers cannot be asked.
 */
export function inspectTopic(client: KafkaClient, topic: Topic, settings: KafkaTopicSettings): Promise<bigint | null> {
  return asking(client, `the topic ${topic.name} could not be looked at`, async (admin) => {
    if (!(await admin.listTopics()).includes(topic.name)) return null;
    await refuseDifferent(admin, topic, settings);
    const offsets = await admin.fetchTopicOffsets(topic.name);
    return offsets.reduce((sum, { high }) => sum + BigInt(high), 0n);
  });
}

async function asking<Answer>(client: KafkaClient, failure: string, question: (admin: KafkaAdmin) => Promise<Answer>): Promise<Answer> {
  const admin = client.admin({ retry: RETRY });
  try {
    await admin.connect();
    return await question(admin);
  } catch (error) {
    if (error instanceof StartRefusal) throw error;
    throw toEventLogError(error, failure);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function refuseDifferent(admin: KafkaAdmin, topic: Topic, settings: KafkaTopicSettings): Promise<void> {
  const differences = await compare(admin, topic, settings);
  if (differences.length === 0) return;
  throw new StartRefusal(
    `The Kafka topic ${topic.name} is not as it must be:\n${differences.map((difference) => `  ${difference}`).join('\n')}`,
  );
}

/** @returns whether it was created now, by us. */
async function create(admin: KafkaAdmin, topic: Topic, settings: KafkaTopicSettings): Promise<boolean> {
  if ((await admin.listTopics()).includes(topic.name)) return false;
  const config = [
    ...exactConfig(settings),
    ['max.message.bytes', String(MAX_MESSAGE_BYTES)] as const,
    // The brokers unpack what any producer packed: we read gzip only, and what is small only while it is packed could fill our memory.
    ['compression.type', 'uncompressed'] as const,
  ];
  try {
    return await admin.createTopics({
      timeout: CREATE_TIMEOUT_MS,
      // We wait ourselves: kafkajs gives up on a broker that has not heard of the new topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: settings.replicationFactor,
          configEntries: config.map(([name, value]) => ({ name, value })),
        },
      ],
    });
  } catch (error) {
    const type = brokerErrorType(error);
    // Another process was quicker.
    if (type === 'TOPIC_ALREADY_EXISTS') return false;
    if (type === 'INVALID_REPLICATION_FACTOR') {
      throw new StartRefusal(
        `The Kafka topic ${topic.name} cannot be created with ${settings.replicationFactor} replicas: there are fewer brokers. ` +
          'Add brokers, or set KAFKA_TOPIC_REPLICATION.',
      );
    }
    if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED') {
      throw new StartRefusal(
        `The Kafka topic ${topic.name} is not there and this user may not create it. Grant Create, or create it: kafka-topics.sh --create ` +
          `--topic ${topic.name} --partitions ${topic.partitions} --replication-factor ${settings.replicationFactor} ` +
          config.map(([name, value]) => `--config ${name}=${value}`).join(' '),
      );
    }
    throw error;
  }
}

/** A new topic is known to a broker, and led, a moment after it was made; on a busy machine seconds after. */
async function untilLed(admin: KafkaAdmin, topic: Topic): Promise<void> {
  for (let look = 1; ; look++) {
    try {
      await admin.fetchTopicOffsets(topic.name);
      return;
    } catch (error) {
      if (look === LEADER_LOOKS || !NO_LEADER_YET.has(brokerErrorType(error) ?? '')) throw error;
      await pause(systemTimers, LEADER_LOOK_MS);
    }
  }
}

/** What must be as stated, since records would be lost otherwise. */
function exactConfig(settings: KafkaTopicSettings): readonly (readonly [name: string, value: string])[] {
  return [
    ['cleanup.policy', 'delete'],
    ['retention.ms', String(settings.retentionMs)],
    ['retention.bytes', '-1'],
    ['min.insync.replicas', String(settings.minInSyncReplicas)],
    ['unclean.leader.election.enable', 'false'],
  ];
}

async function compare(admin: KafkaAdmin, topic: Topic, settings: KafkaTopicSettings): Promise<readonly string[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
  const partitions = topics[0]?.partitions ?? [];
  const differences: string[] = [];
  if (partitions.length !== topic.partitions) {
    differences.push(
      `${partitions.length} partitions, not ${topic.partitions}: the number must never change, or the records of one key lose their order. ` +
        'Stop all of turnpike, let the ledger read everything, delete the topic and start again; or use another cluster.',
    );
  }
  const replicas = new Set(partitions.map((partition) => partition.replicas.length));
  if ([...replicas].some((count) => count !== settings.replicationFactor)) {
    differences.push(
      `${[...replicas].join(' and ')} replicas, not ${settings.replicationFactor}: reassign them with kafka-reassign-partitions.sh, ` +
        'or set KAFKA_TOPIC_REPLICATION.',
    );
  }
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC_RESOURCE, name: topic.name }],
  });
  const found = new Map((resources[0]?.configEntries ?? []).map((entry) => [entry.configName, entry.configValue]));
  const alter = (name: string, value: string): string =>
    `kafka-configs.sh --alter --entity-type topics --entity-name ${topic.name} --add-config ${name}=${value}`;
  for (const [name, value] of exactConfig(settings)) {
    if (found.get(name) !== value) differences.push(`${name}=${found.get(name)}, not ${value}: ${alter(name, value)}${orSet(name)}`);
  }
  if (Number(found.get('max.message.bytes')) < MAX_RECORD_BYTES + BATCH_OVERHEAD_BYTES) {
    differences.push(
      `max.message.bytes=${found.get('max.message.bytes')}, too little for one event: ${alter('max.message.bytes', String(MAX_MESSAGE_BYTES))}`,
    );
  }
  return differences;
}

function orSet(name: string): string {
  if (name === 'retention.ms') return ', or set KAFKA_TOPIC_RETENTION_HOURS';
  return name === 'min.insync.replicas' ? ', or set KAFKA_TOPIC_MIN_INSYNC_REPLICAS' : '';
}
