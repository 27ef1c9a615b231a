import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import { decodeRecord, EncodedRecord, encodeRecord } from '../record-codec.ts';

/**
 * What a producer and the embedded log's server say over the socket: length (u32, of type and payload), type (u8), payload.
 * Little endian. The producer opens with a hello that names what it expects; the server welcomes it or refuses with a reason.
 */
const PROTOCOL_VERSION = 1;

export const MESSAGE = { hello: 1, welcome: 2, refused: 3, append: 4, accepted: 5, rejected: 6 } as const;

/** Largest message: a sender's batch of 500 KB has room many times over. A longer one ends the connection. */
export const MAX_MESSAGE_BYTES = 8 * 1024 ** 2;

/** What both sides must agree on. */
export interface Hello {
  readonly protocol: number;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

export interface AppendMessage {
  /** Chosen by the producer, repeated in the answer. */
  readonly number: number;
  /** Place of the topic in the hello. */
  readonly topicIndex: number;
  readonly records: readonly AppendedRecord[];
}

/** A record and the bytes it is stored as. */
export interface AppendedRecord {
  readonly record: LogRecord;
  readonly bytes: Buffer;
}

export function encodeMessage(type: number, payload: Buffer): Buffer {
  const message = Buffer.allocUnsafe(5 + payload.length);
  message.writeUInt32LE(1 + payload.length, 0);
  message[4] = type;
  payload.copy(message, 5);
  return message;
}

export function encodeHello(topics: readonly Topic[]): Buffer {
  const hello: Hello = { protocol: PROTOCOL_VERSION, topics: topics.map(({ name, partitions }) => ({ name, partitions })) };
  return encodeMessage(MESSAGE.hello, Buffer.from(JSON.stringify(hello)));
}

/** Why a hello does not fit this server, or null. */
export function helloFault(payload: Buffer, topics: readonly Topic[]): string | null {
  const expected = encodeHello(topics).subarray(5).toString();
  const said = payload.toString('utf8', 0, Math.min(payload.length, 4_096));
  return said === expected ? null : `the producer expects ${said}, this log has ${expected}`;
}

const APPEND_HEAD_BYTES = 15;

export function encodeAppend(number: number, topicIndex: number, records: readonly LogRecord[]): Buffer {
  const encoded = records.map((record) => (record instanceof EncodedRecord ? record.bytes : encodeRecord(record, 0)));
  const message = Buffer.allocUnsafe(encoded.reduce((sum, bytes) => sum + 4 + bytes.length, APPEND_HEAD_BYTES));
  message.writeUInt32LE(message.length - 4, 0);
  message[4] = MESSAGE.append;
  message.writeUInt32LE(number, 5);
  message.writeUInt16LE(topicIndex, 9);
  message.writeUInt32LE(records.length, 11);
  let at = APPEND_HEAD_BYTES;
  for (const bytes of encoded) {
    at = message.writeUInt32LE(bytes.length, at);
    at += bytes.copy(message, at);
  }
  return message;
}

/** @throws {RangeError} when the payload is none. Records are views into it. */
export function decodeAppend(payload: Buffer): AppendMessage {
  if (payload.length < 10) throw new RangeError('An append is cut short');
  const count = payload.readUInt32LE(6);
  const records: AppendedRecord[] = [];
  let at = 10;
  for (let index = 0; index < count; index++) {
    if (at + 4 > payload.length) throw new RangeError('An append is cut short');
    const end = at + 4 + payload.readUInt32LE(at);
    if (end > payload.length) throw new RangeError('An append is cut short');
    const bytes = payload.subarray(at + 4, end);
    records.push({ record: decodeRecord(bytes, 0), bytes });
    at = end;
  }
  if (at !== payload.length) throw new RangeError('An append has bytes behind its records');
  return { number: payload.readUInt32LE(0), topicIndex: payload.readUInt16LE(4), records };
}

export function encodeAccepted(number: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32LE(number, 0);
  return encodeMessage(MESSAGE.accepted, payload);
}

export function encodeRejected(number: number, retryable: boolean, reason: string): Buffer {
  const text = Buffer.from(reason);
  const payload = Buffer.allocUnsafe(5 + text.length);
  payload.writeUInt32LE(number, 0);
  payload[4] = retryable ? 1 : 0;
  text.copy(payload, 5);
  return encodeMessage(MESSAGE.rejected, payload);
}

/** Cuts a stream of chunks into messages. `push` throws {RangeError} on a length that is none, after which the stream is lost. */
export function createMessageReader(onMessage: (type: number, payload: Buffer) => void): { push(chunk: Buffer): void } {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 4;

  function gathered(): Buffer {
    const [only] = chunks;
    const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    chunks = [bytes];
    return bytes;
  }

  return {
    push(chunk) {
      chunks.push(chunk);
      held += chunk.length;
      while (held >= needed) {
        const bytes = gathered();
        const length = bytes.readUInt32LE(0);
        if (length < 1 || length > MAX_MESSAGE_BYTES) throw new RangeError(`A message of ${length} bytes`);
        if (held < 4 + length) {
          needed = 4 + length;
          return;
        }
        const payload = bytes.subarray(5, 4 + length);
        const type = bytes[4] ?? 0;
        chunks = [bytes.subarray(4 + length)];
        held -= 4 + length;
        needed = 4;
        onMessage(type, payload);
      }
    },
  };
}
