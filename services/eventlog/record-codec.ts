import type { LogRecord } from '../../schema/events/log-record.ts';
import { MAX_EVENT_BYTES } from '../../schema/events/topics.ts';

/** Bounds of a record beyond its value; the key is an id, the headers are those of a CloudEvent and the subject, as JSON. */
const MAX_KEY_BYTES = 1_024;
const MAX_HEADERS_BYTES = 26_624;

const FIXED_BYTES = 8;
/** Bytes of the largest record. */
export const MAX_RECORD_BYTES = FIXED_BYTES + MAX_KEY_BYTES + MAX_HEADERS_BYTES + MAX_EVENT_BYTES;

/**
 * A record as the bytes it is stored in, made once and used by whoever stores it next; its fields are read when asked for.
 * One buffer also costs the collector less than the dozen objects of a record that waits to be sent.
 */
export class EncodedRecord implements LogRecord {
  readonly bytes: Buffer;

  /** @param bytes exactly those of a record, as {@link encodeRecord} makes them. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get partition(): number {
    return this.bytes.readUInt16LE(0);
  }

  get key(): string {
    return this.bytes.toString('utf8', FIXED_BYTES, this.#headersAt);
  }

  get headers(): Readonly<Record<string, string>> {
    return parseHeaders(this.bytes.toString('utf8', this.#headersAt, this.#valueAt));
  }

  get value(): Buffer {
    return this.bytes.subarray(this.#valueAt);
  }

  get keyBytes(): number {
    return this.bytes.readUInt16LE(2);
  }

  get headersBytes(): number {
    return this.bytes.readUInt32LE(4);
  }

  get #headersAt(): number {
    return FIXED_BYTES + this.keyBytes;
  }

  get #valueAt(): number {
    return this.#headersAt + this.headersBytes;
  }
}

/** Why a record can never be stored, or null. */
export function recordFault(record: LogRecord, partitions: number): string | null {
  if (!Number.isInteger(record.partition) || record.partition < 0 || record.partition >= partitions)
    return `partition ${record.partition} of ${partitions}`;
  const { keyBytes, headersBytes, valueBytes } = lengthsOf(record);
  if (valueBytes > MAX_EVENT_BYTES) return `value of ${valueBytes} bytes, at most ${MAX_EVENT_BYTES}`;
  if (keyBytes > MAX_KEY_BYTES) return `key longer than ${MAX_KEY_BYTES} bytes`;
  if (headersBytes > MAX_HEADERS_BYTES) return `headers larger than ${MAX_HEADERS_BYTES} bytes`;
  return null;
}

type Lengths = { readonly keyBytes: number; readonly headersBytes: number; readonly valueBytes: number };

function lengthsOf(record: LogRecord): Lengths {
  if (record instanceof EncodedRecord) {
    const { keyBytes, headersBytes } = record;
    return { keyBytes, headersBytes, valueBytes: record.bytes.length - FIXED_BYTES - keyBytes - headersBytes };
  }
  return {
    keyBytes: Buffer.byteLength(record.key),
    headersBytes: Buffer.byteLength(JSON.stringify(record.headers)),
    valueBytes: record.value.length,
  };
}

/**
 * A record as bytes: partition (u16), length of the key (u16), of the headers' JSON (u32), then key, headers, value.
 * @param before room left in front for the caller's own fields.
 */
export function encodeRecord(record: LogRecord, before: number): Buffer {
  const headers = JSON.stringify(record.headers);
  const keyBytes = Buffer.byteLength(record.key);
  const headersBytes = Buffer.byteLength(headers);
  const keyAt = before + FIXED_BYTES;
  const bytes = Buffer.allocUnsafe(keyAt + keyBytes + headersBytes + record.value.length);
  bytes.writeUInt16LE(record.partition, before);
  bytes.writeUInt16LE(keyBytes, before + 2);
  bytes.writeUInt32LE(headersBytes, before + 4);
  bytes.write(record.key, keyAt, keyBytes);
  bytes.write(headers, keyAt + keyBytes, headersBytes);
  record.value.copy(bytes, keyAt + keyBytes + headersBytes);
  return bytes;
}

/**
 * The record that begins at `at` and ends with the bytes. Its value is a view into them.
 * @throws {RangeError} when the bytes are no record.
 */
export function decodeRecord(bytes: Buffer, at: number): LogRecord {
  if (bytes.length < at + FIXED_BYTES) throw new RangeError('A record is cut short');
  const keyAt = at + FIXED_BYTES;
  const headersAt = keyAt + bytes.readUInt16LE(at + 2);
  const valueAt = headersAt + bytes.readUInt32LE(at + 4);
  if (valueAt > bytes.length) throw new RangeError('A record is cut short');
  return {
    partition: bytes.readUInt16LE(at),
    key: bytes.toString('utf8', keyAt, headersAt),
    headers: parseHeaders(bytes.toString('utf8', headersAt, valueAt)),
    value: bytes.subarray(valueAt),
  };
}

function parseHeaders(text: string): Record<string, string> {
  const headers: unknown = parseJson(text);
  if (typeof headers !== 'object' || headers === null || !Object.values(headers).every((value) => typeof value === 'string')) {
    throw new RangeError('The headers of a record are not texts by name');
  }
  return headers as Record<string, string>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError('The headers of a record are not JSON', { cause: error });
  }
}
