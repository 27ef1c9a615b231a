import fastJsonStringify from 'fast-json-stringify';
import { Compile } from 'typebox/compile';
import { encodeCloudEvent } from './cloud-event.ts';
import type { LogRecord } from './log-record.ts';
import type { RequestSubject } from './request-settled.v1.ts';
import { REQUEST_SETTLED_TYPE, RequestSettled, SUBJECT_HEADER } from './request-settled.v1.ts';
import { clipToSchema, MAX_TAGS, TRIMMING_STEPS, unstorablePath } from './request-settled-fit.ts';
import { encodeRequestSubject } from './request-subject.ts';
import { serializerSchema } from './serializer-schema.ts';
import { MAX_EVENT_BYTES } from './topics.ts';

const check = Compile(RequestSettled);
const stringify = fastJsonStringify(serializerSchema(RequestSettled));

/**
 * Canonical bytes of the event: fields in the schema's order, tags by key, no white space, UTF-8. Equal events give equal
 * bytes, which are what is stored, hashed and proved.
 * Never refuses an event for what an application or a provider put into it: a field beyond its bound is cut and the event
 * flagged `clipped`; beyond {@link MAX_EVENT_BYTES} parts are left out in a fixed order and flagged `trimmed_…` (both in
 * `usageFlags`).
 * @throws {TypeError} when money or an enumerated value is not one: a fault in the program.
 */
export function serializeRequestSettled(event: RequestSettled): Buffer {
  let fitting = isWithinSchema(event) ? event : clipToSchema(event, RequestSettled);
  if (fitting !== event && !isWithinSchema(fitting)) throw new TypeError(`Not a settled request: ${firstFault(fitting)}`);
  let text = stringify(inTagOrder(fitting));
  // Escapes other than the short ones stand for control characters and lone surrogates only, so this is rare and cheap to ask.
  if (text.includes('\\u') && unstorablePath(fitting, '') !== null) {
    fitting = clipToSchema(event, RequestSettled);
    text = stringify(inTagOrder(fitting));
  }
  let bytes = Buffer.from(text, 'utf8');
  for (const trim of TRIMMING_STEPS) {
    if (bytes.length <= MAX_EVENT_BYTES) break;
    fitting = trim(fitting);
    bytes = Buffer.from(stringify(inTagOrder(fitting)), 'utf8');
  }
  return bytes;
}

export interface RequestSettledEnvelope {
  /** @see eventSource */
  readonly source: string;
  /** Partition of the event's API key. */
  readonly partition: number;
  /** Epoch milliseconds of the settlement. */
  readonly timeMs: number;
  /** Personal data that travels beside the event; null when there is none. */
  readonly subject: RequestSubject | null;
}

/** The record of the event log that carries this event. @throws {TypeError} as {@link serializeRequestSettled}. */
export function encodeRequestSettled(event: RequestSettled, envelope: RequestSettledEnvelope): LogRecord {
  const headers = encodeCloudEvent({
    id: event.requestId,
    source: envelope.source,
    type: REQUEST_SETTLED_TYPE,
    timeMs: envelope.timeMs,
    subject: event.apiKeyId,
    partitionKey: event.apiKeyId,
  });
  if (envelope.subject !== null) headers[SUBJECT_HEADER] = encodeRequestSubject(envelope.subject);
  return { key: event.apiKeyId, partition: envelope.partition, headers, value: serializeRequestSettled(event) };
}

function isWithinSchema(event: RequestSettled): boolean {
  if (!check.Check(event)) return false;
  const keys = Object.keys(event.tags);
  return keys.length <= MAX_TAGS && keys.every((key) => key.length <= 64 && typeof event.tags[key] === 'string');
}

function firstFault(event: unknown): string {
  const [fault] = check.Errors(event);
  return fault === undefined ? 'tags' : `${fault.instancePath} ${fault.message}`;
}

function inTagOrder(event: RequestSettled): RequestSettled {
  const keys = Object.keys(event.tags);
  if (keys.length < 2 || keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') <= key)) return event;
  return { ...event, tags: Object.fromEntries(Object.entries(event.tags).sort(([left], [right]) => (left < right ? -1 : 1))) };
}
