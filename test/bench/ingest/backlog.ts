import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { embeddedPlaces } from '../../../services/eventlog/embedded/places.ts';
import { createEmbeddedProducer } from '../../../services/eventlog/embedded/producer.ts';
import { createEmbeddedLogServer } from '../../../services/eventlog/embedded/server.ts';
import type { EventLogProducer } from '../../../services/eventlog/event-log.ts';
import { createKafkaClient } from '../../../services/eventlog/kafka/kafka-client.ts';
import { createKafkaProducer } from '../../../services/eventlog/kafka/producer.ts';
import { ensureTopic } from '../../../services/eventlog/kafka/topic.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { createLog } from '../../../services/runtime/log.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { startKafkaBroker } from '../../harness/kafka-broker.ts';
import { findKafkaRuntime } from '../../harness/kafka-runtime.ts';

/** An event log full of records that nobody has read. */
export type Backlog = {
  /** Where a ledger process finds it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
};

/** Makes one out of records that it asks for in order, until there are none. */
export type MakeBacklog = (next: (count: number) => readonly LogRecord[]) => Promise<Backlog>;

const appendAtOnce = 500;
const silent = createLog({ name: 'bench', level: 'silent' });

/** In files of a home of its own, as `npm start` has it. */
export const embeddedBacklog: MakeBacklog = async (next) => {
  const home = await mkdtemp(join(tmpdir(), 'turnpike-bench-home-'));
  const places = embeddedPlaces(home);
  const server = await createEmbeddedLogServer({
    ...places,
    topics: [REQUESTS_TOPIC],
    log: silent,
    clock: systemClock,
    random: systemRandom,
  });
  await append(createEmbeddedProducer({ socketPath: places.socketPath, topics: [REQUESTS_TOPIC] }), next);
  await server.close(10_000);
  return {
    environment: { TURNPIKE_HOME: home, TURNPIKE_EVENT_LOG: 'embedded' },
    remove: () => rm(home, { recursive: true, force: true }),
  };
};

/** In a Kafka of one broker, started for it. */
export const kafkaBacklog: MakeBacklog = async (next) => {
  const broker = await startKafkaBroker({ runtime: await findKafkaRuntime() });
  const connection = { brokers: [broker.address], tls: null, login: null };
  const client = await createKafkaClient({ connection, clientId: 'bench', log: silent });
  await ensureTopic(client, REQUESTS_TOPIC, { replicationFactor: 1, minInSyncReplicas: 1, retentionMs: 3_600_000 });
  await append(createKafkaProducer({ client }), next);
  return {
    environment: {
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC_REPLICATION: '1',
      KAFKA_TOPIC_MIN_INSYNC_REPLICAS: '1',
      KAFKA_TOPIC_RETENTION_HOURS: '1',
    },
    remove: broker.end,
  };
};

async function append(producer: EventLogProducer, next: (count: number) => readonly LogRecord[]): Promise<void> {
  for (let records = next(appendAtOnce); records.length > 0; records = next(appendAtOnce)) await producer.append(REQUESTS_TOPIC, records);
  await producer.close();
}
