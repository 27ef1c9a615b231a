import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import type { EventLogProducer } from '../../services/eventlog/event-log.ts';
import { createKafkaProducer } from '../../services/eventlog/kafka/producer.ts';
import { eventually } from '../harness/eventually.ts';
import { kafkaClient, ownBroker, ownBrokersAreThere } from '../harness/kafka.ts';
import type { KafkaBroker } from '../harness/kafka-broker.ts';
import type { MortalProcess } from '../harness/mortal-process.ts';
import { launchMortal } from '../harness/mortal-process.ts';
import type { TestDatabase } from '../harness/postgres.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { addTestPrice } from '../services/ledger/settled-records.ts';
import { countEntries, expectBooks, settledRecords } from './booked-records.ts';
import { consent } from './installation.ts';

const patienceMs = 90_000;

describe.skipIf(!ownBrokersAreThere)('two ledgers on one Kafka', () => {
  let broker: KafkaBroker;
  let database: TestDatabase;
  let producer: EventLogProducer;
  let appended = 0;
  const ledgers = new Set<MortalProcess>();

  const launch = (failpoints?: string): MortalProcess => {
    const ledger = launchMortal('ledger', {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC_REPLICATION: '1',
      ...(failpoints === undefined ? {} : { TURNPIKE_FAILPOINTS: failpoints, ...consent }),
    });
    ledgers.add(ledger);
    return ledger;
  };
  const append = async (count: number): Promise<void> => {
    const batch = settledRecords(count);
    await eventually(() => producer.append(REQUESTS_TOPIC, batch).then(() => true), patienceMs);
    appended += count;
  };
  const isBooked = () => eventually(() => expectBooks(database, appended).then(() => true), patienceMs);

  beforeAll(async () => {
    broker = await ownBroker();
    database = await createTestDatabase();
    await addTestPrice(database.writer.db);
    producer = createKafkaProducer({ client: await kafkaClient([broker.address]) });
  });
  afterAll(async () => {
    for (const ledger of ledgers) {
      ledger.signal('SIGKILL');
      await ledger.ended;
    }
    await producer?.close();
    await database?.drop();
    await broker?.end();
  });

  test('row 7, one that froze with a batch in hand is replaced, and when it wakes up writes nothing of what is another’s', {
    timeout: 600_000,
  }, async () => {
    const frozen = launch('ledger.batch.fetched=pause@1');
    expect(await frozen.ready).not.toBeNull();
    await append(200);
    await eventually(() => frozen.output().includes('failpoint ledger.batch.fetched: pause'), patienceMs);
    expect(await countEntries(database)).toBe(0);
    const other = launch();
    await isBooked();
    frozen.signal('SIGCONT');
    await append(200);
    await isBooked();
    expect([frozen.hasEnded(), other.hasEnded()]).toEqual([false, false]);
    for (const ledger of [frozen, other]) ledger.signal('SIGTERM');
    expect([await frozen.ended, await other.ended]).toEqual([0, 0]);
  });

  test('row 8, one that dies around telling Kafka how far it is goes on from where the books stand', { timeout: 600_000 }, async () => {
    for (const name of ['ledger.hint.commit', 'ledger.hint.committed']) {
      const mortal = launch(`${name}=kill`);
      await append(100);
      await isBooked();
      expect([name, await mortal.ended]).toEqual([name, 'SIGKILL']);
      expect(mortal.output()).toContain(`failpoint ${name}: kill`);
    }
    launch();
    await append(100);
    await isBooked();
  });
});
