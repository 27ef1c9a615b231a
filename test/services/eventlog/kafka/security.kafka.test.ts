import { createServer } from 'node:http';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, type Admin, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Topic } from '../../../../schema/events/topics.ts';
import type { KafkajsClient } from '../../../../services/eventlog/kafka/kafka-client.ts';
import { ensureTopic } from '../../../../services/eventlog/kafka/topic.ts';
import type { KafkaLogin } from '../../../../services/runtime/kafka-environment.ts';
import { eventually } from '../../../harness/eventually.ts';
import { freshTopic, kafkaClient, ownBrokersAreThere, singleBroker } from '../../../harness/kafka.ts';
import type { SecuredKafka } from '../../../harness/secured-kafka.ts';
import { startSecuredKafka } from '../../../harness/secured-kafka.ts';
import { Books, testRecord } from './books.ts';
import { testConsumer, testProducer } from './kafka-harness.ts';

describe.skipIf(!ownBrokersAreThere)('a Kafka that asks who one is', () => {
  let kafka: SecuredKafka;
  let administrator: KafkajsClient;
  let admin: Admin;

  beforeAll(async () => {
    kafka = await startSecuredKafka();
    administrator = await clientOf({ mechanism: 'plain', ...kafka.administrator });
    admin = administrator.admin({});
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await kafka?.end();
  });

  const clientOf = (login: KafkaLogin): Promise<KafkajsClient> => kafkaClient([kafka.address], { tls: { caPath: kafka.caPath }, login });

  const right = (name: string, resourceType: AclResourceTypes, operation: AclOperationTypes) => ({
    resourceType,
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: 'User:turnpike',
    host: '*',
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  });
  /** What a process of ours needs, on this topic and the groups named after it. */
  const rights = ({ name }: Topic) => [
    right(name, AclResourceTypes.TOPIC, AclOperationTypes.READ),
    right(name, AclResourceTypes.TOPIC, AclOperationTypes.WRITE),
    right('books', AclResourceTypes.GROUP, AclOperationTypes.READ),
  ];
  const grant = (topic: Topic): Promise<boolean> => admin.createAcls({ acl: rights(topic) });
  const withdraw = async (topic: Topic): Promise<void> => {
    await admin.deleteAcls({ filters: rights(topic) });
  };
  /** The client appends and reads back one record. */
  const expectService = async (client: KafkajsClient): Promise<void> => {
    const topic = await freshTopic(administrator);
    await grant(topic);
    const producer = testProducer(client);
    const consumer = testConsumer(client, topic);
    onTestFinished(async () => {
      await producer.close();
      await consumer.close();
    });
    await eventually(() => producer.append(topic, [testRecord(topic, 'key_in', 0)]).then(() => true));
    const books = new Books();
    await consumer.subscribe(books.subscriber(topic));
    await eventually(() => books.size === 1, 30_000);
  };

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('lets us in over TLS by %s', async (mechanism) => {
    await expectService(await clientOf({ mechanism, ...kafka.user }));
  });

  test('lets us in by a token of the endpoint, which is asked once for many connections', async () => {
    let asked = 0;
    const endpoint = createServer((request, response) => {
      asked++;
      let form = '';
      request.on('data', (chunk) => (form += String(chunk)));
      request.on('end', () => {
        const known = request.headers.authorization === `Basic ${Buffer.from('client%20one:s%3Acret').toString('base64')}`;
        const fits = form === 'grant_type=client_credentials&scope=kafka';
        response.writeHead(known && fits ? 200 : 401, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ access_token: unsignedToken('turnpike'), token_type: 'Bearer', expires_in: 3_600 }));
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void endpoint.close());
    const address = endpoint.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const tokenEndpoint = `http://127.0.0.1:${port}/token`;
    await expectService(
      await clientOf({ mechanism: 'oauthbearer', tokenEndpoint, clientId: 'client one', clientSecret: 's:cret', scope: 'kafka' }),
    );
    expect(asked).toBe(1);
  });

  test('a wrong password is an error that says so, without the password, and may be mended later', async () => {
    const topic = await freshTopic(administrator);
    const producer = testProducer(await clientOf({ mechanism: 'scram-sha-256', username: kafka.user.username, password: 'not-this-one' }));
    onTestFinished(() => producer.close());
    const refusal = await producer.append(topic, [testRecord(topic, 'key_out', 0)]).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'EventLogError', retryable: true, message: expect.stringContaining('KAFKA_SASL_') });
    expect(String(refusal)).not.toContain('not-this-one');
  });

  test('a broker whose certificate nobody vouches for is not spoken to', async () => {
    const client = await kafkaClient([kafka.address], { tls: { caPath: null }, login: { mechanism: 'plain', ...kafka.user } });
    const topic = await freshTopic(administrator);
    const producer = testProducer(client);
    onTestFinished(() => producer.close());
    await expect(producer.append(topic, [testRecord(topic, 'key_tls', 0)])).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('certificate'),
    });
  });

  test('a permission that is lost stops producer and consumer without losing a record, and both go on when it is back', {
    timeout: 600_000,
  }, async () => {
    const topic = await freshTopic(administrator);
    await grant(topic);
    const client = await clientOf({ mechanism: 'plain', ...kafka.user });
    const producer = testProducer(client);
    const consumer = testConsumer(client, topic);
    onTestFinished(async () => {
      await producer.close();
      await consumer.close();
    });
    await eventually(() => producer.append(topic, [testRecord(topic, 'key_right', 0)]).then(() => true));
    const books = new Books();
    await consumer.subscribe(books.subscriber(topic));
    await eventually(() => books.size === 1, 30_000);
    books.errors.length = 0;

    await withdraw(topic);
    const next = [testRecord(topic, 'key_right', 1)];
    const refusal = await eventually(
      () =>
        producer.append(topic, next).then(
          () => null,
          (error: unknown) => error,
        ),
      20_000,
    );
    expect(refusal).toMatchObject({
      name: 'EventLogError',
      retryable: true,
      message: expect.stringMatching(/AUTHORIZATION_FAILED.*grant/),
    });
    await eventually(() => books.errors.some((error) => String(error).includes('AUTHORIZATION_FAILED')), 30_000);

    await grant(topic);
    await eventually(() => producer.append(topic, next).then(() => true));
    await eventually(() => books.booked.get('key_right')?.includes(1), 60_000);
    expect([...new Set(books.booked.get('key_right'))]).toEqual([0, 1]);
  });

  test('one who may not create the topic is told the command for one who may', async () => {
    const client = await clientOf({ mechanism: 'plain', ...kafka.user });
    const absent: Topic = { name: 'turnpike.absent.v1', partitions: 3, key: 'apiKeyId' };
    await expect(ensureTopic(client, absent, singleBroker)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining('kafka-topics.sh --create --topic turnpike.absent.v1 --partitions 3 --replication-factor 1'),
    });
  });
});

/** A token without a signature, which a broker accepts that has been given no keys to check one by. */
function unsignedToken(subject: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: seconds - 1, exp: seconds + 3_600 })}.`;
}
