import { describe, expect, test } from 'vitest';
import { parseKafkaEnvironment } from '../../../services/runtime/kafka-environment.ts';

const parse = (variables: Record<string, string>) => {
  const problems: string[] = [];
  return { parsed: parseKafkaEnvironment(variables, '/work', problems), problems };
};
const parsedOf = (variables: Record<string, string>) => {
  const { parsed, problems } = parse(variables);
  expect(problems).toEqual([]);
  return parsed;
};
const KAFKA_BROKERS = 'kafka-1.example.com:9092, [::1]:9093';

describe('the KAFKA_ variables', () => {
  test('unset mean the embedded event log', () => {
    expect(parsedOf({ KAFKA_BROKERS: ' ' })).toBeNull();
  });

  test('give brokers without TLS and login, and a topic that survives the loss of one broker', () => {
    expect(parsedOf({ KAFKA_BROKERS })).toEqual({
      connection: { brokers: ['kafka-1.example.com:9092', '[::1]:9093'], tls: null, login: null },
      topic: { replicationFactor: 3, minInSyncReplicas: 2, retentionMs: 604_800_000 },
    });
  });

  test('give a topic of one copy for a single broker', () => {
    const { topic } = parsedOf({ KAFKA_BROKERS, KAFKA_TOPIC_REPLICATION: '1', KAFKA_TOPIC_RETENTION_HOURS: '24' }) ?? {};
    expect(topic).toEqual({ replicationFactor: 1, minInSyncReplicas: 1, retentionMs: 86_400_000 });
  });

  test('turn TLS on by itself, by an authority, and by AWS', () => {
    expect(parsedOf({ KAFKA_BROKERS, KAFKA_SSL: 'true' })?.connection.tls).toEqual({ caPath: null });
    expect(parsedOf({ KAFKA_BROKERS, KAFKA_SSL_CA: 'ca.pem' })?.connection.tls).toEqual({ caPath: '/work/ca.pem' });
    const aws = parsedOf({ KAFKA_BROKERS, KAFKA_SASL_MECHANISM: 'aws', AWS_REGION: 'eu-central-1' });
    expect(aws?.connection).toMatchObject({ tls: { caPath: null }, login: { mechanism: 'aws', region: 'eu-central-1' } });
  });

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('give a login by %s', (mechanism) => {
    const login = { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: 'turnpike', KAFKA_SASL_PASSWORD: 'p@ss:word' };
    expect(parsedOf({ KAFKA_BROKERS, ...login })?.connection.login).toEqual({ mechanism, username: 'turnpike', password: 'p@ss:word' });
  });

  test('give a login by token', () => {
    const login = {
      KAFKA_SASL_MECHANISM: 'oauthbearer',
      KAFKA_SASL_TOKEN_ENDPOINT: 'https://login.example.com/token',
      KAFKA_SASL_CLIENT_ID: 'turnpike',
      KAFKA_SASL_CLIENT_SECRET: 'hush',
    };
    expect(parsedOf({ KAFKA_BROKERS, ...login })?.connection.login).toEqual({
      mechanism: 'oauthbearer',
      tokenEndpoint: 'https://login.example.com/token',
      clientId: 'turnpike',
      clientSecret: 'hush',
      scope: null,
    });
  });

  test('tell every mistake at once', () => {
    const { problems } = parse({
      KAFKA_BROKERS: 'kafka-1:9092,kafka-2,:9092,kafka-3:70000',
      KAFKA_SSL: 'yes',
      KAFKA_SSL_CA: 'ca.pem',
      KAFKA_SASL_MECHANISM: 'kerberos',
      KAFKA_TOPIC_REPLICATION: '2',
      KAFKA_TOPIC_MIN_INSYNC_REPLICAS: '3',
      KAFKA_TOPIC_RETENTION_HOURS: '0',
    });
    expect(problems).toEqual([
      'KAFKA_BROKERS: expected host:port,host:port, found "kafka-2"',
      'KAFKA_BROKERS: expected host:port,host:port, found ":9092"',
      'KAFKA_BROKERS: expected host:port,host:port, found "kafka-3:70000"',
      'KAFKA_SASL_MECHANISM: expected one of plain, scram-sha-256, scram-sha-512, oauthbearer, aws, found "kerberos"',
      'KAFKA_SSL: expected true or false, found "yes"',
      'KAFKA_TOPIC_MIN_INSYNC_REPLICAS: expected at most KAFKA_TOPIC_REPLICATION (2), found 3',
      'KAFKA_TOPIC_RETENTION_HOURS: expected a whole number from 1 to 876000, found "0"',
    ]);
  });

  test('that belong together are asked for together', () => {
    expect(parse({ KAFKA_SSL: 'true' }).problems).toEqual(['KAFKA_BROKERS: expected host:port,host:port, since KAFKA_SSL is set']);
    expect(parse({ KAFKA_BROKERS, KAFKA_SASL_USERNAME: 'turnpike' }).problems).toHaveLength(1);
    expect(parse({ KAFKA_BROKERS, KAFKA_SASL_MECHANISM: 'plain' }).problems).toEqual([
      'KAFKA_SASL_USERNAME: expected a value, since KAFKA_SASL_MECHANISM is plain; found nothing',
      'KAFKA_SASL_PASSWORD: expected a secret, since KAFKA_SASL_MECHANISM is plain; found nothing',
    ]);
    expect(parse({ KAFKA_BROKERS, KAFKA_SSL: 'false', KAFKA_SSL_CA: 'ca.pem' }).problems).toHaveLength(1);
    expect(parse({ KAFKA_BROKERS, KAFKA_SSL: 'false', KAFKA_SASL_MECHANISM: 'aws', AWS_REGION: 'x' }).problems).toHaveLength(1);
  });

  test('never show what may be a secret', () => {
    const { problems } = parse({
      KAFKA_BROKERS: 'turnpike:hush@kafka:9092',
      KAFKA_SASL_MECHANISM: 'oauthbearer',
      KAFKA_SASL_TOKEN_ENDPOINT: 'http://hush@login.example.com/token',
      KAFKA_SASL_CLIENT_SECRET: 'hush',
    });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hush');
  });
});
