import { resolve } from 'node:path';
import type { Variables } from './variables.ts';

/** How a client proves to the brokers who it is. All but `region`, `username` and `clientId` is secret or says nothing alone. */
export type KafkaLogin =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  | {
      readonly mechanism: 'oauthbearer';
      readonly tokenEndpoint: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | null;
    }
  | { readonly mechanism: 'aws'; readonly region: string };

/** Where the brokers are and how they are reached. Never log it whole: `login` holds secrets. */
export type KafkaConnection = {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** Null: no TLS. `caPath` is the absolute path of a PEM file, or null for the system's authorities. */
  readonly tls: { readonly caPath: string | null } | null;
  readonly login: KafkaLogin | null;
};

/** What topics are created with, and must have. */
export type KafkaTopicSettings = {
  readonly replicationFactor: number;
  /** Copies that must have a record before it counts as written (`acks=all`). */
  readonly minInSyncReplicas: number;
  readonly retentionMs: number;
};

/** All that the variables say of Kafka. */
export type KafkaEnvironment = { readonly connection: KafkaConnection; readonly topic: KafkaTopicSettings };

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws'] as const;
const broker = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@,[\]]+):(\d{1,5})$/;
const whole = /^\d{1,6}$/;
/** Kafka's own programs have variables too, such as KAFKA_HEAP_OPTS, which say nothing to us. */
const ours = /^KAFKA_(SSL|SASL|TOPIC)(_|$)/;
const hourMs = 3_600_000;

/**
 * Parses the variables that begin with KAFKA_. Every mistake is pushed on `problems`: the variable, what was expected, and the
 * value unless it may be a secret; what is returned then is not to be used.
 * @returns null where KAFKA_BROKERS is not set: the event log is the embedded one.
 */
export function parseKafkaEnvironment(variables: Variables, workingDirectory: string, problems: string[]): KafkaEnvironment | null {
  const given = (name: string): string | null => variables[name]?.trim() || null;
  const brokersText = given('KAFKA_BROKERS');
  if (brokersText === null) {
    const orphans = Object.keys(variables).filter((name) => ours.test(name) && given(name) !== null);
    if (orphans.length > 0) problems.push(`KAFKA_BROKERS: expected host:port,host:port, since ${orphans.sort().join(', ')} is set`);
    return null;
  }
  const required = (name: string, why: string, secret: boolean): string => {
    const text = given(name);
    if (text === null) problems.push(`${name}: expected ${secret ? 'a secret' : 'a value'}, since ${why}; found nothing`);
    return text ?? '';
  };
  const number = (name: string, fallback: number, most: number): number => {
    const text = given(name);
    if (text === null) return fallback;
    if (whole.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
    problems.push(`${name}: expected a whole number from 1 to ${most}, found ${JSON.stringify(text)}`);
    return fallback;
  };

  const brokers = brokersText.split(',').map((text) => text.trim());
  for (const text of brokers) {
    const port = Number(broker.exec(text)?.[1] ?? 0);
    if (port >= 1 && port <= 65_535) continue;
    // Somebody may have written user:password@host.
    const found = text.includes('@') ? '(value not shown: it may hold a password)' : `found ${JSON.stringify(text)}`;
    problems.push(`KAFKA_BROKERS: expected host:port,host:port, ${found}`);
  }

  const login = parseLogin(given, required, problems);
  const sslText = given('KAFKA_SSL');
  if (sslText !== null && sslText !== 'true' && sslText !== 'false') {
    problems.push(`KAFKA_SSL: expected true or false, found ${JSON.stringify(sslText)}`);
  }
  const caPath = given('KAFKA_SSL_CA');
  // Amazon's brokers accept IAM over TLS alone, and a given authority says that TLS is meant.
  const tls = sslText === 'true' || (sslText === null && (caPath !== null || login?.mechanism === 'aws'));
  if (sslText === 'false' && caPath !== null) problems.push('KAFKA_SSL_CA: is set although KAFKA_SSL is false');
  if (sslText === 'false' && login?.mechanism === 'aws') problems.push('KAFKA_SSL: expected true, since KAFKA_SASL_MECHANISM is aws');

  const replicationFactor = number('KAFKA_TOPIC_REPLICATION', 3, 32_767);
  const minInSyncReplicas = number('KAFKA_TOPIC_MIN_INSYNC_REPLICAS', Math.max(1, replicationFactor - 1), 32_767);
  if (minInSyncReplicas > replicationFactor) {
    problems.push(
      `KAFKA_TOPIC_MIN_INSYNC_REPLICAS: expected at most KAFKA_TOPIC_REPLICATION (${replicationFactor}), found ${minInSyncReplicas}`,
    );
  }
  return {
    connection: { brokers, tls: tls ? { caPath: caPath === null ? null : resolve(workingDirectory, caPath) } : null, login },
    topic: { replicationFactor, minInSyncReplicas, retentionMs: number('KAFKA_TOPIC_RETENTION_HOURS', 168, 876_000) * hourMs },
  };
}

function parseLogin(
  given: (name: string) => string | null,
  required: (name: string, why: string, secret: boolean) => string,
  problems: string[],
): KafkaLogin | null {
  const text = given('KAFKA_SASL_MECHANISM');
  if (text === null) {
    for (const name of [
      'KAFKA_SASL_USERNAME',
      'KAFKA_SASL_PASSWORD',
      'KAFKA_SASL_TOKEN_ENDPOINT',
      'KAFKA_SASL_CLIENT_ID',
      'KAFKA_SASL_CLIENT_SECRET',
    ]) {
      if (given(name) !== null) problems.push(`KAFKA_SASL_MECHANISM: expected one of ${mechanisms.join(', ')}, since ${name} is set`);
    }
    return null;
  }
  const mechanism = mechanisms.find((candidate) => candidate === text);
  const why = `KAFKA_SASL_MECHANISM is ${mechanism}`;
  switch (mechanism) {
    case undefined:
      problems.push(`KAFKA_SASL_MECHANISM: expected one of ${mechanisms.join(', ')}, found ${JSON.stringify(text)}`);
      return null;
    case 'aws':
      return { mechanism, region: given('KAFKA_SASL_AWS_REGION') ?? given('AWS_REGION') ?? required('KAFKA_SASL_AWS_REGION', why, false) };
    case 'oauthbearer': {
      const tokenEndpoint = required('KAFKA_SASL_TOKEN_ENDPOINT', why, false);
      if (tokenEndpoint !== '' && !isTokenEndpoint(tokenEndpoint)) {
        problems.push(
          'KAFKA_SASL_TOKEN_ENDPOINT: expected an https:// URL without a password (http:// on this machine only); value not shown',
        );
      }
      return {
        mechanism,
        tokenEndpoint,
        clientId: required('KAFKA_SASL_CLIENT_ID', why, false),
        clientSecret: required('KAFKA_SASL_CLIENT_SECRET', why, true),
        scope: given('KAFKA_SASL_SCOPE'),
      };
    }
    default:
      return {
        mechanism,
        username: required('KAFKA_SASL_USERNAME', why, false),
        password: required('KAFKA_SASL_PASSWORD', why, true),
      };
  }
}

/** The client's secret goes there, so it goes encrypted. */
function isTokenEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname));
}
