import type { Topic } from '../../schema/events/topics.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Environment } from '../runtime/environment.ts';
import type { KafkaEnvironment } from '../runtime/kafka-environment.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import type { Disk } from './disk.ts';
import { createEmbeddedConsumer } from './embedded/consumer.ts';
import { embeddedPlaces } from './embedded/places.ts';
import { createEmbeddedProducer } from './embedded/producer.ts';
import { createEmbeddedLogServer } from './embedded/server.ts';
import type { EventLogConsumer, EventLogProducer } from './event-log.ts';
import { assureTopic } from './kafka/assure-topic.ts';
import { createKafkaConsumer } from './kafka/consumer.ts';
import type { KafkaClient } from './kafka/kafka-client.ts';
import { createKafkaClient } from './kafka/kafka-client.ts';
import { createKafkaProducer } from './kafka/producer.ts';
import { ensureTopic, inspectTopic } from './kafka/topic.ts';
import { systemTimers } from './timers.ts';

/**
 * How long the partitions of a ledger that was killed wait for another one. Short, because a ledger that was only slow and lost
 * its partitions does no harm: PostgreSQL fences it off.
 */
const SESSION_TIMEOUT_MS = 10_000;

export interface EventLogOptions {
  readonly environment: Pick<Environment, 'home' | 'databaseUrl' | 'kafka' | 'embeddedLog'>;
  /** Names this process in the brokers' logs and quotas, e.g. `turnpike-proxy`. */
  readonly clientId: string;
  readonly topic: Topic;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Told when Kafka's topic turns out to be wrong after the start, such as when its brokers were away then. */
  onRefused(error: unknown): void;
}

/** What the event log stands on, where a test wants something else than the machine's own disk and kafkajs as it is. */
export interface EventLogSeams {
  readonly disk?: Disk;
  readonly kafka?: (client: KafkaClient) => KafkaClient;
}

/** A consumer, and what the process that reads the log owes it. */
export interface ConsumedEventLog {
  readonly consumer: EventLogConsumer;
  /** Says that everything below this offset is in the books. Kafka does not ask; the embedded log may then let go of it. */
  release(partition: number, nextOffset: bigint): void;
  /** Closes the consumer, and the embedded log after up to `deadlineMs` for its last sync. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * The producer of the event log that the environment names: the one place where it is decided.
 * @throws StartRefusal when it names none, or a Kafka whose topic is not as it must be. Brokers that are away are waited for.
 */
export async function openEventLogProducer(options: EventLogOptions): Promise<EventLogProducer> {
  const kafka = chosenKafka(options.environment);
  if (kafka === null)
    return createEmbeddedProducer({ socketPath: embeddedPlaces(options.environment.home).socketPath, topics: [options.topic] });
  const { client, endAssurance } = await reachKafka(options, kafka);
  const producer = createKafkaProducer({ client });
  return {
    append: producer.append,
    close: async () => {
      endAssurance();
      await producer.close();
    },
  };
}

/**
 * The consumer of the event log that the environment names. The embedded log is served by the process that consumes it.
 * @throws StartRefusal as `openEventLogProducer` does.
 */
export async function openEventLogConsumer(options: EventLogOptions, seams: EventLogSeams = {}): Promise<ConsumedEventLog> {
  const { environment, topic, log, clock, random } = options;
  const kafka = chosenKafka(environment);
  if (kafka === null) {
    const server = await createEmbeddedLogServer({
      ...embeddedPlaces(environment.home),
      topics: [topic],
      log,
      clock,
      random,
      ...(seams.disk === undefined ? {} : { disk: seams.disk }),
    });
    const consumer = createEmbeddedConsumer({ server });
    return {
      consumer,
      release: (partition, nextOffset) => server.release(topic, partition, nextOffset),
      close: async (deadlineMs) => {
        await consumer.close();
        await server.close(deadlineMs);
      },
    };
  }
  const { client, endAssurance } = await reachKafka(options, kafka);
  const consumer = createKafkaConsumer({ client: seams.kafka?.(client) ?? client, random, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  return {
    consumer,
    release: () => {},
    close: async () => {
      endAssurance();
      await consumer.close();
    },
  };
}

/** Kafka, or null for the embedded log. For a process to ask before it reaches for anything. @throws StartRefusal when neither is meant. */
export function chosenKafka({ databaseUrl, kafka, embeddedLog }: EventLogOptions['environment']): KafkaEnvironment | null {
  if (embeddedLog) return null;
  if (databaseUrl !== null && kafka !== null) return kafka;
  const missing = [databaseUrl === null ? ['DATABASE_URL'] : [], kafka === null ? ['KAFKA_BROKERS'] : []].flat();
  throw new StartRefusal(
    `${missing.join(' and ')} not set: a process of its own needs DATABASE_URL and KAFKA_BROKERS (README, "From embedded to cluster"). ` +
      'For everything on this machine, without either, run `npm start`.',
  );
}

/**
 * How many records Kafka's topic has ever held, for who may only begin with an empty one; null where it is not there.
 * @param create makes it where it is not there; else nothing is changed.
 * @throws StartRefusal when it is not as it must be. @throws {EventLogError} when the brokers cannot be asked.
 */
export async function countRecordsEver(
  options: Pick<EventLogOptions, 'clientId' | 'topic' | 'log'> & { readonly kafka: KafkaEnvironment; readonly create: boolean },
): Promise<bigint | null> {
  const { kafka, topic } = options;
  const client = await createKafkaClient({ connection: kafka.connection, clientId: options.clientId, log: options.log });
  if (options.create) await ensureTopic(client, topic, kafka.topic);
  return inspectTopic(client, topic, kafka.topic);
}

async function reachKafka(
  options: EventLogOptions,
  kafka: KafkaEnvironment,
): Promise<{ readonly client: KafkaClient; readonly endAssurance: () => void }> {
  const { clientId, topic, log, random, onRefused } = options;
  const client = await createKafkaClient({ connection: kafka.connection, clientId, log });
  const endAssurance = await assureTopic({ client, topic, settings: kafka.topic, timers: systemTimers, random, log, onRefused });
  return { client, endAssurance };
}
