import { zstdCompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Topic } from '../../../schema/events/topics.ts';
import type { KafkajsClient, KafkaProducer } from '../../../services/eventlog/kafka/kafka-client.ts';
import type { Consumer } from '../../../services/ledger/consume.ts';
import { startConsumer } from '../../../services/ledger/consume.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { eventually } from '../../harness/eventually.ts';
import { deleteTopics, freshTopic, kafkaClient, kafkaIsThere, runBrokers } from '../../harness/kafka.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { testConsumer } from '../eventlog/kafka/kafka-harness.ts';
import { silentLog } from './posting.ts';
import { addTestPrice, recordOf, recordsOf, settledEvent } from './settled-records.ts';

type Message = Parameters<KafkaProducer['sendBatch']>[0]['topicMessages'] extends (infer Of)[] | undefined
  ? Of extends { messages: (infer One)[] }
    ? One
    : never
  : never;

describe.skipIf(!kafkaIsThere)('a producer that is not ours', () => {
  let client: KafkajsClient;
  let topic: Topic;
  let foreign: KafkaProducer;
  let database: TestDatabase;
  let consumer: Consumer;
  let written = 0;

  beforeAll(async () => {
    client = await kafkaClient(runBrokers());
    topic = await freshTopic(client);
    foreign = client.producer({ allowAutoTopicCreation: false });
    await foreign.connect();
    database = await createTestDatabase();
    await addTestPrice(database.writer.db);
    const store = createPostgresLedgerStore(database.writer);
    const common = { store, clock: systemClock, log: silentLog, metrics: createLedgerMetrics(new Registry()) };
    const poster = createPoster({ ...common, topic: topic.name, random: systemRandom, onPosted: () => {} });
    consumer = await startConsumer({ ...common, eventLog: testConsumer(client, topic), topic, group: 'ledger', owner: 'test', poster });
  });
  afterAll(async () => {
    await consumer?.stop(2_000);
    await foreign?.disconnect();
    await deleteTopics(client, [topic]);
    await database?.drop();
  });

  /** Writes messages to partition 0, which all of this goes through. */
  async function send(messages: readonly Omit<Message, 'partition'>[], compression = 0): Promise<void> {
    await foreign.sendBatch({
      acks: -1,
      compression,
      topicMessages: [{ topic: topic.name, messages: messages.map((message) => ({ ...message, partition: 0 })) }],
    });
    written += messages.length;
  }

  /** One of ours, as it goes over the wire. */
  const honest = (): Omit<Message, 'partition'> => {
    const { key, headers, value } = recordOf(settledEvent(), { offset: 0n });
    return { key, headers: { ...headers }, value };
  };

  async function booked(): Promise<void> {
    await eventually(async () => {
      const row = await database.owner.db
        .selectFrom('log_offsets')
        .select('next_offset')
        .where('topic', '=', topic.name)
        .where('partition', '=', 0)
        .executeTakeFirst();
      return row?.next_offset === BigInt(written);
    }, 20_000);
  }

  const countEntries = async (): Promise<number> =>
    (await database.owner.db.selectFrom('ledger_entries').select('entry_id').execute()).length;
  const lettersFrom = async (offset: number) =>
    database.owner.db.selectFrom('dead_letters').selectAll().where('log_offset', '>=', BigInt(offset)).orderBy('log_offset').execute();

  test('no key, no value, no headers, bytes that are no text, a header twice, a megabyte: dead letters with their bytes; the others are posted', async () => {
    const from = written;
    const model = honest();
    const binary = Buffer.from([0, 0xff, 0xfe, 0xc3, 0x28]);
    const hostile: Omit<Message, 'partition'>[] = [
      { key: null, value: null },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} },
      { ...model, key: null },
      { ...model, key: binary },
      { key: model.key ?? null, value: null, headers: model.headers ?? {} },
      { ...model, headers: { ...model.headers, ce_id: binary } },
      { ...model, headers: { ...model.headers, ce_type: ['turnpike.request.settled.v1', 'turnpike.budget.v1'] } },
      { ...model, headers: { [binary.toString('latin1')]: binary, '': '', constructor: 'x' } },
      { ...model, headers: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`h${index}`, 'x'.repeat(50)])) },
      { ...model, value: Buffer.alloc(1_000_000, 0x7b) },
      { ...model, value: binary, timestamp: '-1' },
    ];
    const entries = await countEntries();
    await send([honest()]);
    for (const message of hostile) await send([message, honest()]);
    await send([honest()]);
    await booked();

    expect(await countEntries()).toBe(entries + hostile.length + 2);
    const letters = await lettersFrom(from);
    expect(letters.map(({ log_offset }) => Number(log_offset) - from)).toEqual(hostile.map((_, index) => 1 + 2 * index));
    expect(letters.map(({ value }) => value)).toEqual(hostile.map(({ value }) => (value === null ? Buffer.alloc(0) : value)));
    expect(letters.map(({ reason }) => reason)).toEqual([
      'wrong_type',
      'wrong_type',
      'id_mismatch',
      'id_mismatch',
      'unparseable',
      'id_mismatch',
      'wrong_type',
      'wrong_type',
      'wrong_type',
      'oversized',
      'unparseable',
    ]);
  });

  test('a batch that is compressed in a way we cannot read is read all the same', async () => {
    const entries = await countEntries();
    kafkajs.CompressionCodecs[zstd] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
      decompress: async () => {
        throw new Error('a reader of ours met zstd');
      },
    });
    try {
      await send([honest(), { ...honest(), value: Buffer.from('?') }, honest()], zstd);
      await booked();
    } finally {
      Reflect.deleteProperty(kafkajs.CompressionCodecs, zstd);
    }
    expect(await countEntries()).toBe(entries + 2);
  });

  test('a batch that is small only while it is compressed is refused by the broker, not unpacked by the ledger', async () => {
    await expect(send([{ ...honest(), value: Buffer.alloc(50_000_000) }], gzip)).rejects.toThrow(/larger|size|large/i);
    const entries = await countEntries();
    await send([honest()]);
    await booked();
    expect(await countEntries()).toBe(entries + 1);
  });

  test('a flood of garbage among honest records: every honest one is posted, every other one kept', async () => {
    const entries = await countEntries();
    const from = written;
    const records = recordsOf(500);
    const messages = records.flatMap(({ key, headers, value }, index) => [
      { key, headers: { ...headers }, value },
      ...(index % 5 === 0 ? [{ key: 'x', value: Buffer.from(`garbage ${index}`) }] : []),
    ]);
    await send(messages);
    await booked();
    expect(await countEntries()).toBe(entries + 500);
    expect((await lettersFrom(from)).map(({ value }) => value?.toString())).toEqual(
      Array.from({ length: 100 }, (_, index) => `garbage ${5 * index}`),
    );
  });
});

const gzip = 1;
const zstd = 4;
