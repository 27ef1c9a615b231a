import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import { FetchedMessage } from './fetched-message.ts';

/** A record as kafkajs hands it over. What others may write and we never do (no key, no value, a header twice) is read as empty, or as the last. */
export function parseMessage(partition: number, message: KafkaMessage): StoredRecord {
  if (message instanceof FetchedMessage) return new FetchedRecord(partition, message);
  return {
    key: message.key?.toString('utf8') ?? '',
    partition,
    headers: parseHeaders(message.headers ?? {}),
    value: message.value ?? Buffer.alloc(0),
    offset: BigInt(message.offset),
  };
}

/** Bytes of a record as the bound of a batch counts them. */
export function sizeOf(record: StoredRecord): number {
  if (record instanceof FetchedRecord) return record.size;
  let bytes = record.value.length + record.key.length;
  for (const [name, value] of Object.entries(record.headers)) bytes += name.length + value.length;
  return bytes;
}

/** Its fields are read anew each time they are asked for. */
class FetchedRecord implements StoredRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly #message: FetchedMessage;

  constructor(partition: number, message: FetchedMessage) {
    this.partition = partition;
    this.offset = BigInt(message.offset);
    this.#message = message;
  }

  get key(): string {
    return this.#message.key?.toString('utf8') ?? '';
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#message.headers;
  }

  get value(): Buffer {
    return this.#message.value ?? Buffer.alloc(0);
  }

  get size(): number {
    return this.#message.size;
  }
}

function parseHeaders(headers: IHeaders): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    texts[name] = last?.toString() ?? '';
  }
  return texts;
}
