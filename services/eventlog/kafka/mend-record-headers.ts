import { createRequire } from 'node:module';

type Header = { readonly key: string; readonly value: Buffer | null };
type Headers = Record<string, Buffer | null | (Buffer | null)[]>;
type Decoder = { readVarIntArray(read: (decoder: Decoder) => Header): Header[] };

/**
 * Mends how kafkajs 2.2.4 gathers a record's headers: it copies all before for each one more, so that the 5,000 headers a
 * stranger can put on a small record stop the event loop for half a minute, and with it every partition of the process. Headers are
 * the only thing it reads with `readVarIntArray`, and it calls nothing but `reduce` on what comes back: here that is a list whose
 * `reduce` puts them together in one pass, to the same effect.
 * @throws when kafkajs is no longer the one this was written for.
 */
export function mendRecordHeaders(): void {
  const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/protocol/decoder.js');
  const prototype: unknown = typeof loaded === 'function' ? loaded.prototype : null;
  if (!isDecoder(prototype)) throw new Error('kafkajs has another decoder: see services/eventlog/kafka/mend-record-headers.ts');
  const { readVarIntArray } = prototype;
  prototype.readVarIntArray = function readHeaders(this: Decoder, read): Header[] {
    const headers = readVarIntArray.call(this, read);
    return Object.assign(headers, { reduce: () => gather(headers) });
  };
}

/** A name that stands several times has a list; any name is only a name, `__proto__` too. */
function gather(headers: readonly Header[]): Headers {
  const gathered: Headers = Object.create(null);
  for (const { key, value } of headers) {
    const before = gathered[key];
    if (before === undefined) gathered[key] = value;
    else if (Array.isArray(before)) before.push(value);
    else gathered[key] = [before, value];
  }
  return gathered;
}

function isDecoder(value: unknown): value is Decoder {
  return typeof value === 'object' && value !== null && 'readVarIntArray' in value && typeof value.readVarIntArray === 'function';
}
