import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventSource, parseCloudEvent } from '../../../schema/events/cloud-event.ts';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { RequestSettled as RequestSettledSchema, SUBJECT_HEADER } from '../../../schema/events/request-settled.v1.ts';
import { parseRequestSettled } from '../../../schema/events/request-settled-parser.ts';
import { encodeRequestSettled, serializeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { MAX_EVENT_BYTES } from '../../../schema/events/topics.ts';
import { settledRequest } from '../../harness/settled-request.ts';

const envelope = { source: eventSource('nod_1', 7), partition: 4, timeMs: 1_795_000_000_123, subject: null };
const encode = (event: RequestSettled): LogRecord => encodeRequestSettled(event, envelope);
const withValue = (value: Buffer): LogRecord => ({ ...encode(settledRequest()), value });
const withBody = (change: (body: Record<string, unknown>) => void): LogRecord => {
  const record = encode(settledRequest());
  const body: Record<string, unknown> = JSON.parse(record.value.toString());
  change(body);
  return { ...record, value: Buffer.from(JSON.stringify(body)) };
};
const reasonOf = (record: LogRecord): string => {
  const parsed = parseRequestSettled(record);
  return parsed.ok ? 'accepted' : `${parsed.reason}: ${parsed.detail}`;
};
const read = (record: LogRecord): RequestSettled => {
  const parsed = parseRequestSettled(record);
  if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
  return parsed.event;
};

/** Any value the schema allows, built from the schema itself so that a new field is covered without a change here. */
function anyOfSchema(schema: unknown): fc.Arbitrary<unknown> {
  const node = schema as {
    type?: string;
    anyOf?: unknown[];
    const?: unknown;
    pattern?: string;
    properties?: Record<string, unknown>;
    patternProperties?: Record<string, unknown>;
    items?: unknown;
    maxItems?: number;
    maxLength?: number;
    minimum?: number;
    maximum?: number;
  };
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(anyOfSchema));
  if (node.pattern?.includes('9a-f')) return fc.stringMatching(/^[0-9a-f]{64}$/);
  if (node.pattern !== undefined) return fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map(String);
  if (node.patternProperties !== undefined) {
    return fc.dictionary(storable(64), anyOfSchema(Object.values(node.patternProperties)[0]), { maxKeys: 32 });
  }
  if (node.type === 'object')
    return fc.record(Object.fromEntries(Object.entries(node.properties ?? {}).map(([key, item]) => [key, anyOfSchema(item)])));
  if (node.type === 'array') return fc.array(anyOfSchema(node.items), { maxLength: node.maxItems ?? 4 });
  if (node.type === 'string') return storable(node.maxLength ?? 64);
  if (node.type === 'integer') return fc.integer({ min: node.minimum ?? 0, max: node.maximum ?? Number.MAX_SAFE_INTEGER });
  if (node.type === 'number') return fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
  if (node.type === 'boolean') return fc.boolean();
  return fc.constant(null);
}
const storable = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', maxLength: Math.min(maxLength, 24) }).filter((text) => !text.includes('\0') && text.length <= maxLength);
const ids = () => {
  const { requestId, organizationId, apiKeyId } = settledRequest();
  return { requestId, organizationId, apiKeyId, teamId: null, userId: null, serviceAccountId: null };
};
const events = anyOfSchema(RequestSettledSchema).map((event) => ({ ...(structuredClone(event) as RequestSettled), ...ids() }));

describe('the settled request as bytes', () => {
  test('comes back as it was written, whatever the schema allows', () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(read(encode(event))).toEqual(event);
      }),
      { numRuns: 200 },
    );
  });

  test('keeps integers exact to the last digit', () => {
    const event = settledRequest({ sdkRetryCount: Number.MAX_SAFE_INTEGER, costPico: '99999999999999999999999999999999999999' });
    expect(read(encode(event))).toMatchObject({ sdkRetryCount: 9_007_199_254_740_991, costPico: '99999999999999999999999999999999999999' });
  });

  test('is the same for equal events, in whatever order their fields and tags were set', () => {
    const event = settledRequest({ tags: { zone: 'b', area: 'a', '10': 'x', '9': 'y' } });
    const reversed = Object.fromEntries(Object.entries(event).reverse()) as unknown as RequestSettled;
    const other = { ...reversed, tags: { '9': 'y', area: 'a', '10': 'x', zone: 'b' } };
    expect(serializeRequestSettled(other).equals(serializeRequestSettled(event))).toBe(true);
  });

  test('has every field of the schema, in the order of the schema', () => {
    const refusedBy = { budget: 'bud_1', limit: 'l', needed: '5', amount: '9', settled: '4', held: '3' };
    const written: unknown = JSON.parse(
      serializeRequestSettled(
        settledRequest({ refusedBy, reportedCostPico: '1', replayOf: 'req_1', counted: [], wouldRefuse: [] }),
      ).toString(),
    );
    expect(Object.keys(Object(written))).toEqual(Object.keys(RequestSettledSchema.properties));
  });

  test('null stays null and is not 0 or missing', () => {
    const bytes = serializeRequestSettled(settledRequest({ usage: null, costPico: null, status: null }));
    expect(JSON.parse(bytes.toString())).toMatchObject({ usage: null, costPico: null, status: null });
  });

  test('never exceeds the event limit and never loses who, outcome, usage, cost and holds, however large the event', () => {
    const wide = (length: number) => '\u0001'.repeat(length);
    const attempt = settledRequest().attempts[0]!;
    const event = settledRequest({
      tags: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [wide(60) + index, wide(256)])),
      modelRequested: wide(256),
      model: wide(256),
      modelAnswered: wide(256),
      routeId: wide(64),
      endpoint: wide(64),
      errorCode: wide(128),
      finishReason: wide(64),
      serviceTier: wide(64),
      unrated: wide(64),
      node: wide(64),
      priceVersion: wide(64),
      rawUsage: wide(4096),
      usageFlags: Array.from({ length: 16 }, () => wide(64)),
      attempts: Array.from({ length: 32 }, () => ({
        ...attempt,
        provider: wide(64),
        upstreamModel: wide(256),
        errorCode: wide(128),
        providerRequestId: wide(256),
      })),
      holds: Array.from({ length: 64 }, () => ({ counter: wide(64), hold: '9'.repeat(38), debit: '9'.repeat(38), cost: '9'.repeat(38) })),
      decision: { reason: wide(128), candidates: Array.from({ length: 16 }, () => wide(256)) },
      counted: Array.from({ length: 24 }, () => ({
        limit: '00000000-0000-7000-8000-000000000000',
        group: '€'.repeat(96),
        cost: '9'.repeat(38),
      })),
      wouldRefuse: Array.from({ length: 4 }, () => ({
        budget: `bud_${'0'.repeat(26)}`,
        limit: '00000000-0000-7000-8000-000000000000',
        needed: '9'.repeat(38),
        amount: '9'.repeat(38),
        settled: '9'.repeat(38),
      })),
    });
    const record = encode(event);
    expect(record.value.length).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    const { requestId, organizationId, apiKeyId, outcome, usage, costPico, holds } = event;
    expect(read(record)).toMatchObject({ requestId, organizationId, apiKeyId, outcome, usage, costPico, holds });
    expect(read(record).usageFlags).toEqual(expect.arrayContaining(['trimmed_tags']));
  });

  test('leaves out the raw usage first and says so, and touches nothing else when that is enough', () => {
    const tags = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`t${index}`, '€'.repeat(256)]));
    const attempt = { ...settledRequest().attempts[0]!, upstreamModel: '€'.repeat(256), providerRequestId: '€'.repeat(256) };
    const event = settledRequest({ rawUsage: '€'.repeat(4096), tags, attempts: Array.from({ length: 20 }, () => attempt) });
    expect(read(encode(event))).toEqual({ ...event, rawUsage: null, usageFlags: ['trimmed_raw_usage'] });
  });

  test('cuts what is beyond its bound instead of refusing the event, and says so', () => {
    const event = settledRequest({
      modelRequested: 'm'.repeat(5000),
      tags: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`t${i}`, 'v'])),
    });
    const stored = read(encode(event));
    expect(stored.modelRequested).toBe('m'.repeat(256));
    expect(Object.keys(stored.tags)).toHaveLength(32);
    expect(stored.usageFlags).toEqual(['clipped']);
  });

  test('a count that is none becomes null, never 0', () => {
    const usage = { ...settledRequest().usage!, input: Number.NaN, output: 2 ** 63, reasoning: -1 };
    expect(read(encode(settledRequest({ usage }))).usage).toMatchObject({ input: null, output: null, reasoning: null, cacheRead: 300 });
  });

  test('characters PostgreSQL cannot store are replaced, not carried', () => {
    const stored = read(encode(settledRequest({ modelRequested: 'a\0b\ud800c', tags: { 'k\0': 'v\udfff' } })));
    expect(stored).toMatchObject({ modelRequested: 'a\ufffdb\ufffdc', tags: { 'k\ufffd': 'v\ufffd' } });
  });

  test('money that is none is a fault in the program and is thrown', () => {
    expect(() => encode(settledRequest({ costPico: '1.5' }))).toThrow(/costPico/);
  });
});

describe('what is read from the log', () => {
  test.each<[string, Buffer]>([
    ['an empty value', Buffer.alloc(0)],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
    ['half a document', Buffer.from('{"version":1')],
    ['NaN', Buffer.from('{"version":NaN}')],
    ['a list', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['thirty thousand open brackets', Buffer.from('['.repeat(30_000))],
    ['thirty thousand nested lists', Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))],
  ])('%s is unparseable', (_name, value) => {
    expect(reasonOf(withValue(value))).toMatch(/^unparseable/);
  });

  test('a megabyte is oversized and is not parsed', () => {
    expect(reasonOf(withValue(Buffer.alloc(1_000_000, 0x5b)))).toMatch(/^oversized/);
  });

  test.each<[string, (body: Record<string, unknown>) => void, RegExp]>([
    ['a token more than any sum bears', (body) => Object.assign(body.usage as object, { input: 10 ** 12 + 1 }), /^invalid: \/usage/],
    ['2^63 tokens', (body) => Object.assign(body.usage as object, { input: 2 ** 63 }), /^invalid: \/usage/],
    ['negative tokens', (body) => Object.assign(body.usage as object, { output: -1 }), /^invalid: \/usage/],
    ['half a token', (body) => Object.assign(body.usage as object, { output: 0.5 }), /^invalid: \/usage/],
    ['a cost that is a number', (body) => Object.assign(body, { costPico: 12 }), /^invalid: \/costPico/],
    ['a cost in exponent form', (body) => Object.assign(body, { costPico: '1e9' }), /^invalid: \/costPico/],
    ['an outcome nobody knows', (body) => Object.assign(body, { outcome: 'perhaps' }), /^invalid: \/outcome/],
    ['a missing field', (body) => delete body.organizationId, /^invalid/],
    ['an id of another kind', (body) => Object.assign(body, { organizationId: body.apiKeyId }), /^invalid: \/organizationId/],
    ['a tag that is no text behind a line break', (body) => Object.assign(body, { tags: { 'a\nb': 5 } }), /^invalid: \/tags/],
    [
      'too many tags',
      (body) => Object.assign(body, { tags: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [i, ''])) }),
      /^invalid: \/tags/,
    ],
    ['a NUL', (body) => Object.assign(body, { modelRequested: 'a\0' }), /^invalid: \/modelRequested/],
    ['a lone surrogate in a key', (body) => Object.assign(body, { tags: { '\ud800': '' } }), /^invalid: \/tags/],
    ['another version', (body) => Object.assign(body, { version: 2 }), /^unknown_version/],
    ['another request id', (body) => Object.assign(body, { requestId: settledRequest().requestId }), /^id_mismatch/],
    ['another key id', (body) => Object.assign(body, { apiKeyId: settledRequest().apiKeyId }), /^id_mismatch/],
  ])('%s is refused, with the place', (_name, change, expected) => {
    expect(reasonOf(withBody(change))).toMatch(expected);
  });

  test('a field of a newer writer is passed over, however deep it is', () => {
    const record = encode(settledRequest());
    const newer = `,"newer":${'['.repeat(20_000)}"\\u0001"${']'.repeat(20_000)}}`;
    const parsed = parseRequestSettled({ ...record, value: Buffer.from(record.value.toString().slice(0, -1) + newer) });
    expect(parsed.ok).toBe(true);
  });

  test('headers of another kind are told apart: no CloudEvent, another type, another version', () => {
    const record = encode(settledRequest());
    const typed = (type: string) => ({ ...record, headers: { ...record.headers, ce_type: type } });
    expect(reasonOf({ ...record, headers: {} })).toMatch(/^wrong_type/);
    expect(reasonOf({ ...record, headers: { ...record.headers, 'content-type': 'application/cloudevents+json' } })).toMatch(/^wrong_type/);
    expect(reasonOf(typed('turnpike.budget.v1'))).toMatch(/^wrong_type/);
    expect(reasonOf(typed('turnpike.request.settled.v2'))).toMatch(/^unknown_version/);
  });

  test("a record under another key than its event's is refused, whatever its headers say", () => {
    expect(reasonOf({ ...encode(settledRequest()), key: settledRequest().apiKeyId })).toMatch(/^id_mismatch/);
    expect(reasonOf({ ...encode(settledRequest()), key: '' })).toMatch(/^id_mismatch/);
  });

  test('no bytes at all make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.dictionary(fc.string(), fc.string()), (value, headers) => {
        expect(parseRequestSettled({ key: '', value: Buffer.from(value), headers }).ok).toBe(false);
        expect(parseRequestSettled({ ...encode(settledRequest()), value: Buffer.from(value) }).ok).toBe(false);
      }),
    );
  });

  test('one flipped byte is never read as another request', () => {
    const record = encode(settledRequest());
    const original = read(record).requestId;
    fc.assert(
      fc.property(fc.nat(record.value.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const value = Buffer.from(record.value);
        value[at] = (value[at] ?? 0) ^ mask;
        const parsed = parseRequestSettled({ ...record, value });
        expect(parsed.ok ? parsed.event.requestId : original).toBe(original);
      }),
    );
  });
});

describe('the envelope', () => {
  test('is a CloudEvent in binary mode whose id is the request and whose key is the API key', () => {
    const event = settledRequest();
    expect(encode(event)).toMatchObject({
      key: event.apiKeyId,
      partition: 4,
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: event.requestId,
        ce_source: '/turnpike/proxy/nod_1/7',
        ce_type: 'turnpike.request.settled.v1',
        ce_time: '2026-11-18T11:06:40.123Z',
        ce_subject: event.apiKeyId,
        ce_partitionkey: event.apiKeyId,
      },
    });
    expect(parseCloudEvent(encode(event).headers)).toMatchObject({ id: event.requestId, timeMs: envelope.timeMs });
  });

  test('is dated to the millisecond, whatever was dated before', () => {
    const times = fc.array(fc.integer({ min: 0, max: 4_102_444_800_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(times, (given) => {
        for (const timeMs of given.flatMap((time) => [time, time + 1, time + 999])) {
          expect(encodeRequestSettled(settledRequest(), { ...envelope, timeMs }).headers.ce_time).toBe(new Date(timeMs).toISOString());
        }
      }),
    );
  });

  test('carries personal data beside the event and never in it', () => {
    const subject = { salt: '0'.repeat(32), endUser: 'ada@example.org', address: '192.0.2.1', metadata: { ticket: '7' } };
    const record = encodeRequestSettled(settledRequest(), { ...envelope, subject: JSON.stringify(subject) });
    // Words no id can spell: the letters of a random id have made the first name alone before.
    expect(record.value.toString()).not.toMatch(/ada@|example\.org|192\.0\.2\.1|ticket/);
    const parsed = parseRequestSettled(record);
    expect(parsed.ok && parsed.subject).toEqual(subject);
  });

  test('an unreadable subject does not keep the request out of the books', () => {
    const record = encode(settledRequest());
    for (const text of [
      '',
      '{',
      '{"salt":"x"}',
      'x'.repeat(20_000),
      '{"salt":"00000000000000000000000000000000","endUser":"\\u0000","address":null,"metadata":null}',
    ]) {
      const parsed = parseRequestSettled({ ...record, headers: { ...record.headers, [SUBJECT_HEADER]: text } });
      expect(parsed.ok && parsed.subject).toBeNull();
    }
  });
});
