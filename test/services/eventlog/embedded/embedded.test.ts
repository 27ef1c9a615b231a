import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LogRecord } from '../../../../schema/events/log-record.ts';
import type { Topic } from '../../../../schema/events/topics.ts';
import { createEmbeddedProducer } from '../../../../services/eventlog/embedded/producer.ts';
import { encodeAppend, encodeHello, encodeMessage, MESSAGE } from '../../../../services/eventlog/embedded/protocol.ts';
import type { EmbeddedLogServer, EmbeddedLogServerOptions } from '../../../../services/eventlog/embedded/server.ts';
import { createEmbeddedLogServer } from '../../../../services/eventlog/embedded/server.ts';
import type { EventLogProducer } from '../../../../services/eventlog/event-log.ts';
import { eventually } from '../../../harness/eventually.ts';
import { createFaultyDisk } from '../../../harness/faulty-disk.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const topic: Topic = { name: 'turnpike.test.v1', partitions: 3, key: 'apiKeyId' };
const record = (number: number, partition = 0, valueBytes = 20): LogRecord => ({
  key: `key_${partition}`,
  partition,
  headers: { number: String(number) },
  value: Buffer.alloc(valueBytes, number),
});

async function serve(directory: string, changes: Partial<EmbeddedLogServerOptions> = {}): Promise<EmbeddedLogServer> {
  const server = await createEmbeddedLogServer({
    directory,
    socketPath: join(directory, 'log.sock'),
    topics: [topic],
    log: recordingLog(),
    ...changes,
  });
  onTestFinished(() => server.close(200));
  return server;
}

function produce(directory: string, changes: Partial<Parameters<typeof createEmbeddedProducer>[0]> = {}): EventLogProducer {
  const producer = createEmbeddedProducer({ socketPath: join(directory, 'log.sock'), topics: [topic], ...changes });
  onTestFinished(() => producer.close());
  return producer;
}

async function connected(directory: string): Promise<Socket> {
  const socket = createConnection(join(directory, 'log.sock'));
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a producer finds its server again after a restart, and offsets go on where they were', async () => {
  const directory = await temporaryFolder();
  const first = await serve(directory);
  const producer = produce(directory);
  await producer.append(topic, [record(1), record(2)]);
  await first.close(1_000);
  await expect(producer.append(topic, [record(3)])).rejects.toMatchObject({ retryable: true });
  const second = await serve(directory);
  await producer.append(topic, [record(3)]);
  expect(second.journal(topic).offsets(0)).toEqual({ earliest: 0n, next: 3n });
  const stored = await second.journal(topic).read(0, 0n, 10, 1_000_000);
  expect(stored.map(({ headers, offset }) => [headers.number, offset])).toEqual([
    ['1', 0n],
    ['2', 1n],
    ['3', 2n],
  ]);
});

test('a producer that expects other partitions is told so and loses nothing: its records may be taken later', async () => {
  const directory = await temporaryFolder();
  await serve(directory);
  const other = { ...topic, partitions: 4 };
  const producer = produce(directory, { topics: [other] });
  await expect(producer.append(other, [record(1)])).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('"partitions":4'),
  });
});

test('a folder with another number of partitions is refused at start', async () => {
  const directory = await temporaryFolder();
  const first = await serve(directory);
  await produce(directory).append(topic, [record(1)]);
  await first.close(1_000);
  await expect(serve(directory, { topics: [{ ...topic, partitions: 4 }] })).rejects.toThrow('has 3 partitions, not 4');
});

test('two processes never serve one folder', async () => {
  const directory = await temporaryFolder();
  await serve(directory);
  await expect(serve(directory)).rejects.toThrow(/Another process uses/);
  await produce(directory).append(topic, [record(1)]);
});

test.each<[string, Buffer]>([
  ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a length of four gigabytes', Buffer.alloc(4, 0xff)],
  ['a length of nothing', Buffer.alloc(4)],
  ['an append before its hello', encodeAppend(1, 0, [])],
  ['a hello of ten thousand brackets', encodeMessage(MESSAGE.hello, Buffer.alloc(10_000, 0x5b))],
  ['an append that is cut short', Buffer.concat([encodeHello([topic]), encodeMessage(MESSAGE.append, Buffer.alloc(12, 1))])],
  [
    'a second append while one is in flight',
    Buffer.concat([encodeHello([topic]), encodeAppend(1, 0, [record(1)]), encodeAppend(2, 0, [record(2)])]),
  ],
  ['a message nobody knows', Buffer.concat([encodeHello([topic]), encodeMessage(99, Buffer.alloc(3))])],
])('who sends %s is disconnected, and the others are served', async (_name, bytes) => {
  const directory = await temporaryFolder();
  await serve(directory);
  const socket = await connected(directory);
  socket.write(bytes);
  socket.resume();
  await once(socket, 'close');
  await produce(directory).append(topic, [record(1)]);
});

test('a message is understood however the socket cuts it', async () => {
  const directory = await temporaryFolder();
  const server = await serve(directory);
  const socket = await connected(directory);
  socket.resume();
  const bytes = Buffer.concat([encodeHello([topic]), encodeAppend(1, 0, [record(1), record(2, 1)])]);
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => server.journal(topic).offsets(1).next === 1n);
});

test('a second append of one producer while one is in flight is refused by the producer itself', async () => {
  const directory = await temporaryFolder();
  await serve(directory);
  const producer = produce(directory);
  const first = producer.append(topic, [record(1)]);
  await expect(producer.append(topic, [record(2)])).rejects.toMatchObject({ retryable: true });
  await first;
});

test('nothing is acknowledged or read before it is synced, and a failed sync does not count', async () => {
  const directory = await temporaryFolder();
  const disk = createFaultyDisk();
  const server = await serve(directory, { disk });
  const producer = produce(directory);
  await producer.append(topic, [record(0)]);
  disk.syncFault = 'EIO';
  let acknowledged = false;
  const appended = producer.append(topic, [record(1)]).then(() => {
    acknowledged = true;
  });
  await eventually(() => server.journal(topic).refusal() !== null);
  expect(acknowledged).toBe(false);
  expect(server.journal(topic).offsets(0).next).toBe(1n);
  await expect(produce(directory).append(topic, [record(9)])).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('disk'),
  });
  disk.syncFault = null;
  await appended;
  await server.close(1_000);
  const again = await serve(directory);
  const stored = await again.journal(topic).read(0, 0n, 10, 1_000_000);
  expect(stored.map(({ headers }) => headers.number)).toEqual(['0', '1']);
});

test('an acknowledgement that does not come in time leaves the producer knowing nothing', async () => {
  const directory = await temporaryFolder();
  const disk = createFaultyDisk();
  await serve(directory, { disk });
  disk.syncHeld = true;
  const producer = produce(directory, { acknowledgeTimeoutMs: 50 });
  await expect(producer.append(topic, [record(1)])).rejects.toMatchObject({ retryable: true });
  disk.syncHeld = false;
});

test('records go only when they are released, and then down to what is kept for replays', async () => {
  const directory = await temporaryFolder();
  const server = await serve(directory, { segmentBytes: 10_000, retentionBytes: 50_000 });
  const producer = produce(directory);
  for (let number = 0; number < 100; number++) await producer.append(topic, [record(number, number % 3, 5_000)]);
  const journal = server.journal(topic);
  expect(journal.offsets(0).earliest).toBe(0n);
  expect(journal.bytes).toBeGreaterThan(500_000);
  server.release(topic, 0, 34n);
  server.release(topic, 1, 33n);
  // One partition that stands still holds what is in the shared files.
  expect(journal.offsets(0).earliest).toBeLessThan(3n);
  server.release(topic, 2, 33n);
  await eventually(() => journal.bytes < 150_000);
  expect(journal.offsets(0).earliest).toBeGreaterThan(20n);
  expect(journal.offsets(0).next).toBe(34n);
  await server.close(1_000);
  const again = await serve(directory);
  expect(again.journal(topic).offsets(0)).toEqual(journal.offsets(0));
});

test('offsets go on even when every record has gone', async () => {
  const directory = await temporaryFolder();
  const server = await serve(directory, { segmentBytes: 1_000, retentionBytes: 0 });
  const producer = produce(directory);
  for (let number = 0; number < 10; number++) {
    await producer.append(topic, [record(number, 0, 900)]);
    server.release(topic, 0, BigInt(number + 1));
  }
  await server.close(1_000);
  const again = await serve(directory, { segmentBytes: 1_000, retentionBytes: 0 });
  again.release(topic, 0, 10n);
  await eventually(async () => (await readdir(join(directory, topic.name))).length <= 2);
  expect(again.journal(topic).offsets(0)).toEqual({ earliest: 10n, next: 10n });
  await again.close(1_000);
  const third = await serve(directory);
  await produce(directory).append(topic, [record(10)]);
  expect(third.journal(topic).offsets(0)).toEqual({ earliest: 10n, next: 11n });
});

test('at its bound it refuses for now, and takes again once the ledger has caught up', async () => {
  const directory = await temporaryFolder();
  const server = await serve(directory, { segmentBytes: 20_000, maxBytes: 200_000, retentionBytes: 0 });
  const producer = produce(directory);
  let taken = 0;
  const full = (async () => {
    for (;;) {
      await producer.append(topic, [record(taken, 0, 10_000)]);
      taken++;
    }
  })();
  await expect(full).rejects.toMatchObject({ retryable: true, message: expect.stringContaining('bound') });
  server.release(topic, 0, BigInt(taken));
  await eventually(() => server.journal(topic).refusal() === null);
  await producer.append(topic, [record(taken)]);
});

test('what is no longer in memory is read from disk, the same', async () => {
  const directory = await temporaryFolder();
  const first = await serve(directory);
  const producer = produce(directory);
  for (let batch = 0; batch < 20; batch++) {
    await producer.append(
      topic,
      Array.from({ length: 100 }, (_, index) => record((batch * 100 + index) % 251, index % 3, 500)),
    );
  }
  const before = await first.journal(topic).read(1, 5n, 10_000, 10_000_000);
  await first.close(1_000);
  const second = await serve(directory);
  const after = await second.journal(topic).read(1, 5n, 10_000, 10_000_000);
  expect(after).toEqual(before);
  expect(after.length).toBe(655);
});
