import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { MAX_EVENT_BYTES } from '../../../schema/events/topics.ts';
import { anId, recordOf, settledEvent } from './settled-records.ts';

/** A record that no ledger may book, made from one that it would; the place in the log stays. */
export type Hostility = (good: StoredRecord) => StoredRecord;

/** The record with other JSON text in place of a field's, so that what no serializer writes can stand there too. */
export function withJson(good: StoredRecord, path: readonly (string | number)[], json: string): StoredRecord {
  const body: unknown = JSON.parse(good.value.toString());
  const last = path.at(-1);
  let parent: unknown = body;
  for (const step of path.slice(0, -1)) parent = Reflect.get(Object(parent), step);
  if (last === undefined || typeof parent !== 'object' || parent === null) throw new Error(`no ${path.join('/')} in the event`);
  const mark = '@@here@@';
  Reflect.set(parent, last, mark);
  return { ...good, value: Buffer.from(JSON.stringify(body).replace(JSON.stringify(mark), () => json)) };
}

const bytes =
  (value: Buffer): Hostility =>
  (good) => ({ ...good, value });
const headers =
  (changed: Readonly<Record<string, string>>): Hostility =>
  (good) => ({ ...good, headers: { ...good.headers, ...changed } });
const json =
  (path: string, text: string): Hostility =>
  (good) =>
    withJson(good, path.split('/'), text);
const event =
  (changed: () => Partial<RequestSettled>): Hostility =>
  (good) => ({ ...recordOf(settledEvent(changed()), { offset: good.offset, partition: good.partition }) });

/**
 * What a hostile or broken producer can write, by name, and the reason under which the ledger must keep it. The last one is for
 * a ledger with a constraint that refuses the error code `poison`.
 */
export const HOSTILITIES: readonly (readonly [name: string, make: Hostility, reason: string])[] = [
  ['bad UTF-8', bytes(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])), 'unparseable'],
  ['half a document', (good) => ({ ...good, value: good.value.subarray(0, good.value.length >> 1) }), 'unparseable'],
  ['no value at all', bytes(Buffer.alloc(0)), 'unparseable'],
  ['nothing but NUL', bytes(Buffer.alloc(100)), 'unparseable'],
  ['JSON ten thousand lists deep', bytes(Buffer.from('['.repeat(10_000) + ']'.repeat(10_000))), 'unparseable'],
  ['NaN where a number belongs', json('usage/input', 'NaN'), 'unparseable'],
  ['more bytes than an event may have', bytes(Buffer.alloc(MAX_EVENT_BYTES + 1, 0x20)), 'oversized'],
  ['a megabyte', bytes(Buffer.alloc(1_000_000, 0x5b)), 'oversized'],
  ['version 0', json('version', '0'), 'unknown_version'],
  ['a version that is text', json('version', '"1"'), 'invalid'],
  ['a future version in the header', headers({ ce_type: 'turnpike.request.settled.v2' }), 'unknown_version'],
  ['a future version in the body', json('version', '2,"newField":{"deep":[1]}'), 'unknown_version'],
  ['another kind of event', headers({ ce_type: 'turnpike.budget.v1' }), 'wrong_type'],
  ['headers of no event', (good) => ({ ...good, headers: { 'a\0b': '\ud800', ['__proto__']: 'x', '': '' } }), 'wrong_type'],
  ['no headers', (good) => ({ ...good, headers: {} }), 'wrong_type'],
  ["another API key as the record's key", (good) => ({ ...good, key: anId('apiKey') }), 'id_mismatch'],
  ['no key, and a key PostgreSQL cannot store', (good) => ({ ...good, key: 'a\0\udfff' }), 'id_mismatch'],
  ['another API key in the header', (good) => headers({ ce_partitionkey: anId('apiKey') })(good), 'id_mismatch'],
  ['another request id in the header', (good) => headers({ ce_id: anId('request') })(good), 'id_mismatch'],
  ['an organization that is no id', json('organizationId', '"org_no"'), 'invalid'],
  ['2^63 tokens', json('usage/input', '9223372036854775808'), 'invalid'],
  ['more tokens than any sum can hold', json('usage/input', String(Number.MAX_SAFE_INTEGER)), 'invalid'],
  ['10^400 tokens', json('usage/output', '1e400'), 'invalid'],
  ['negative tokens', json('usage/input', '-1'), 'invalid'],
  ['half a token', json('usage/input', '0.5'), 'invalid'],
  ['tokens as text', json('usage/input', '"1000"'), 'invalid'],
  ['a cost as a number', json('costPico', '4500000000'), 'invalid'],
  ['a status beyond HTTP', json('status', '2147483648'), 'invalid'],
  ['a negative time', json('timings/totalMs', '-0.001'), 'invalid'],
  ['a NUL character', json('errorCode', String.raw`"a\u0000b"`), 'invalid'],
  ['a lone surrogate', json('model', String.raw`"\ud800"`), 'invalid'],
  ['a NUL in the name of a tag', json('tags', String.raw`{"a\u0000":"b"}`), 'invalid'],
  ['a list where an object belongs', json('decision', '[]'), 'invalid'],
  ['a text of 60,000 characters', json('endpoint', JSON.stringify('x'.repeat(60_000))), 'invalid'],
  ['a field twice, the second one wrong', json('status', '200,"status":"200"'), 'invalid'],
  ['an id from the year 2300', event(() => ({ requestId: anId('request', Date.UTC(2300, 0)) })), 'time_implausible'],
  ['a row that a constraint of the ledger refuses', json('errorCode', '"poison"'), 'refused_by_database'],
];
