import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { StoredRecord } from '../../../schema/events/log-record.ts';

/** A record as kafkajs hands it over. What others may write and we never do (no key, no value, a header twice) is read as empty, or as the last. */
export function parseMessage(partition: number, message: KafkaMessage): StoredRecord {
  return {
    key: message.key?.toString('utf8') ?? '',
    partition,
    headers: parseHeaders(message.headers ?? {}),
    value: message.value ?? Buffer.alloc(0),
    offset: BigInt(message.offset),
  };
}

function parseHeaders(headers: IHeaders): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    texts[name] = last?.toString() ?? '';
  }
  return texts;
}
