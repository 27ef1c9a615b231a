import { readFile } from 'node:fs/promises';
import type { Admin, AdminConfig, Consumer, ConsumerConfig, KafkaConfig, Producer, ProducerConfig } from 'kafkajs';
import { Kafka, logLevel } from 'kafkajs';
import { systemClock } from '../../runtime/clock.ts';
import type { KafkaConnection, KafkaLogin } from '../../runtime/kafka-environment.ts';
import type { Log } from '../../runtime/log.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { mendKafkajs } from './mend-kafkajs.ts';
import { createTokenSource } from './oauth-token.ts';

/** What we use of kafkajs, so that the simulation can stand in for the brokers behind it. */
export type KafkaProducer = Pick<Producer, 'connect' | 'disconnect' | 'sendBatch'>;
export type KafkaConsumer = Pick<
  Consumer,
  'connect' | 'disconnect' | 'subscribe' | 'run' | 'seek' | 'pause' | 'resume' | 'commitOffsets' | 'on' | 'events'
>;
export type KafkaAdmin = Pick<
  Admin,
  'connect' | 'disconnect' | 'listTopics' | 'createTopics' | 'fetchTopicOffsets' | 'fetchTopicMetadata' | 'describeConfigs'
>;

/** Makes kafkajs' parts, each with connections of its own. */
export interface KafkaClient {
  producer(config: ProducerConfig): KafkaProducer;
  consumer(config: ConsumerConfig): KafkaConsumer;
  admin(config: AdminConfig): KafkaAdmin;
}

/** The same over real connections, with all that kafkajs can do to a cluster. */
export interface KafkajsClient extends KafkaClient {
  admin(config: AdminConfig): Admin;
}

export interface KafkaClientOptions {
  readonly connection: KafkaConnection;
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string;
  /** kafkajs' own words go there at level debug: whatever matters reaches its caller as an error. */
  readonly log: Log;
  /** Longest wait for one answer. Default 15 s. */
  readonly requestTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 3_000;
const LOGIN_TIMEOUT_MS = 10_000;
/** Of connecting and of asking for metadata: a broker that restarts is waited for a moment. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/** @throws StartRefusal when the certificate authority cannot be read. */
export async function createKafkaClient(options: KafkaClientOptions): Promise<KafkajsClient> {
  const { connection, log } = options;
  mendKafkajs();
  const config: KafkaConfig = {
    brokers: [...connection.brokers],
    clientId: options.clientId,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: LOGIN_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? 15_000,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: log.isLevelEnabled('debug') ? logLevel.WARN : logLevel.NOTHING,
    logCreator:
      () =>
      ({ namespace, log: { message } }) =>
        log.debug({ namespace }, `kafkajs: ${message}`),
    ...(connection.tls === null ? {} : { ssl: await tlsOptions(connection.tls.caPath) }),
    ...(connection.login === null ? {} : { sasl: await saslOptions(connection.login) }),
  };
  // Consumers of one Kafka object share their record of committed offsets and clear it for one another.
  return {
    producer: (producer) => new Kafka(config).producer(producer),
    consumer: (consumer) => new Kafka(config).consumer(consumer),
    admin: (admin) => new Kafka(config).admin(admin),
  };
}

async function tlsOptions(caPath: string | null): Promise<NonNullable<KafkaConfig['ssl']>> {
  if (caPath === null) return true;
  try {
    return { ca: [await readFile(caPath, 'utf8')] };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unreadable';
    throw new StartRefusal(`KAFKA_SSL_CA: expected a readable PEM file, found ${caPath} (${code})`);
  }
}

async function saslOptions(login: KafkaLogin): Promise<NonNullable<KafkaConfig['sasl']>> {
  switch (login.mechanism) {
    case 'aws': {
      // Brings the SDK's credential chain, which nobody else should have to load.
      const { createMechanism } = await import('@jm18457/kafkajs-msk-iam-authentication-mechanism');
      return createMechanism({ region: login.region });
    }
    case 'oauthbearer': {
      const token = createTokenSource(login, systemClock);
      return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
    }
    // One object for the three would not be one of kafkajs' three types.
    case 'plain':
      return { mechanism: 'plain', username: login.username, password: login.password };
    case 'scram-sha-256':
      return { mechanism: 'scram-sha-256', username: login.username, password: login.password };
    case 'scram-sha-512':
      return { mechanism: 'scram-sha-512', username: login.username, password: login.password };
  }
}
