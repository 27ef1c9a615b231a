import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FetchedMessage } from '../../../../services/eventlog/kafka/fetched-message.ts';
import { mendRecordDecoder } from '../../../../services/eventlog/kafka/mend-record-decoder.ts';

type Header = Record<string, string | readonly string[]>;
type Plain = {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Header;
};

mendRecordDecoder();
const require = createRequire(import.meta.url);
const encodeBatch: {
  readonly RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }>;
} = require('kafkajs/src/protocol/recordBatch/v0');
const encodeRecord: (record: Plain) => object = require('kafkajs/src/protocol/recordBatch/record/v0');
const Decoder: new (bytes: Buffer) => object = require('kafkajs/src/protocol/decoder');
const decodeMessages: (decoder: object) => Promise<readonly unknown[]> = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');

/** Through kafkajs' own printer and reader, as in a fetch. */
async function throughKafkajs(firstOffset: number, records: readonly Plain[], compression = 0): Promise<readonly FetchedMessage[]> {
  const { buffer } = await encodeBatch.RecordBatch({
    firstOffset,
    firstTimestamp: 1,
    maxTimestamp: 1,
    lastOffsetDelta: records.length - 1,
    compression,
    records: records.map(encodeRecord),
  });
  const length = Buffer.alloc(4);
  length.writeInt32BE(buffer.length);
  const messages = await decodeMessages(new Decoder(Buffer.concat([length, buffer])));
  return messages.filter((message) => message instanceof FetchedMessage);
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const plain = fc.record({
  offsetDelta: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  timestampDelta: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string(), fc.string()),
});

test('a record is read as it was written, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(plain, { minLength: 1, maxLength: 5 }),
      fc.nat(),
      fc.constantFrom(0, 1),
      async (records, firstOffset, compression) => {
        const messages = await throughKafkajs(firstOffset, records, compression);
        const read = messages.map(({ offset, key, value, headers }) => ({ offset, key, value, headers: { ...headers } }));
        expect(read).toEqual(
          records.map(({ offsetDelta, key, value, headers }) => ({
            offset: String(firstOffset + offsetDelta),
            key,
            value,
            headers: { ...headers },
          })),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('of a header that is there twice the last counts, and a null one is empty', async () => {
  const [message] = await throughKafkajs(7, [
    { offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers: { twice: ['first', 'last'] } },
  ]);
  expect(message).toMatchObject({ offset: '7', headers: { twice: 'last' }, isControlRecord: false });
});

test('a header is a header, whatever it is called', async () => {
  const headers = Object.fromEntries(['__proto__', 'constructor', 'toString', ''].map((name) => [name, 'x']));
  const [message] = await throughKafkajs(0, [{ offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers }]);
  expect(Object.entries(message?.headers ?? {})).toEqual(Object.entries(headers));
});

test('a record that is cut short is refused, not read beyond its end', () => {
  const cut = Buffer.from([0, 0, 0, 1, 40, 0x61]);
  const message = new FetchedMessage(cut, { firstOffset: '0', isControlBatch: false });
  expect(() => message.value).toThrow(RangeError);
  expect(() => message.headers).toThrow(RangeError);
});
