import { Compile } from 'typebox/compile';
import type { CloudEvent } from './cloud-event.ts';
import { parseCloudEvent } from './cloud-event.ts';
import type { LogRecord } from './log-record.ts';
import type { RequestSubject } from './request-settled.v1.ts';
import { REQUEST_SETTLED_TYPE, RequestSettled, SUBJECT_HEADER } from './request-settled.v1.ts';
import { MAX_TAGS, unstorablePath } from './request-settled-fit.ts';
import { parseRequestSubject } from './request-subject.ts';
import { MAX_EVENT_BYTES } from './topics.ts';

/** Why a record is no settled request; the ledger keeps it as a dead letter under this name. */
export type RequestSettledRejection = 'unparseable' | 'wrong_type' | 'unknown_version' | 'invalid' | 'oversized' | 'id_mismatch';

export type ParsedRequestSettled =
  | { readonly ok: true; readonly event: RequestSettled; readonly envelope: CloudEvent; readonly subject: RequestSubject | null }
  | {
      readonly ok: false;
      readonly reason: RequestSettledRejection;
      /** What was wrong and where, as a JSON pointer where there is one; never a value out of the record. */
      readonly detail: string;
    };

const check = Compile(RequestSettled);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const FAMILY = 'turnpike.request.settled.v';
const TYPE_ID_BODY = '_[0-7][0-9a-hjkmnp-tv-z]{25}$';
const ID_FIELDS: readonly (readonly [keyof RequestSettled & string, RegExp])[] = [
  ['requestId', new RegExp(`^req${TYPE_ID_BODY}`)],
  ['organizationId', new RegExp(`^org${TYPE_ID_BODY}`)],
  ['apiKeyId', new RegExp(`^key${TYPE_ID_BODY}`)],
  ['teamId', new RegExp(`^team${TYPE_ID_BODY}`)],
  ['userId', new RegExp(`^usr${TYPE_ID_BODY}`)],
  ['serviceAccountId', new RegExp(`^svc${TYPE_ID_BODY}`)],
];

/**
 * Reads a record of the event log. Total: whatever the bytes are, the answer is an event the ledger can store or a reason.
 * Unknown fields are passed over (a newer writer may add optional ones). A subject that cannot be read is null: personal data
 * is beside the books and must not keep a request out of them.
 */
export function parseRequestSettled(record: Pick<LogRecord, 'key' | 'headers' | 'value'>): ParsedRequestSettled {
  if (record.value.length > MAX_EVENT_BYTES) return rejected('oversized', `${record.value.length} bytes, at most ${MAX_EVENT_BYTES}`);
  const envelope = parseCloudEvent(record.headers);
  if (envelope === null) return rejected('wrong_type', 'headers are not those of a CloudEvent in binary mode');
  if (envelope.type !== REQUEST_SETTLED_TYPE) {
    return rejected(envelope.type.startsWith(FAMILY) ? 'unknown_version' : 'wrong_type', 'header ce_type');
  }
  const parsed = parseJson(record.value);
  if (!parsed.ok) return rejected('unparseable', parsed.detail);
  const body = parsed.value;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return rejected('unparseable', 'the value is not a JSON object');
  if ('version' in body && typeof body.version === 'number' && body.version !== 1) return rejected('unknown_version', '/version');
  if (!check.Check(body)) {
    const [fault] = check.Errors(body);
    return rejected('invalid', fault === undefined ? '/' : `${fault.instancePath || '/'} ${fault.message}`);
  }
  const fault = faultBeyondSchema(body) ?? (parsed.hasEscapes ? unstorablePath(body, '') : null);
  if (fault !== null) return rejected('invalid', fault);
  if (envelope.id !== body.requestId) return rejected('id_mismatch', 'header ce_id is not /requestId');
  if (envelope.partitionKey !== body.apiKeyId) return rejected('id_mismatch', 'header ce_partitionkey is not /apiKeyId');
  if (record.key !== body.apiKeyId) return rejected('id_mismatch', "the record's key is not /apiKeyId");
  const subject = record.headers[SUBJECT_HEADER];
  return { ok: true, event: body, envelope, subject: subject === undefined ? null : parseRequestSubject(subject) };
}

function rejected(reason: RequestSettledRejection, detail: string): ParsedRequestSettled {
  return { ok: false, reason, detail };
}

type ParsedJson =
  | { readonly ok: true; readonly value: unknown; readonly hasEscapes: boolean }
  | { readonly ok: false; readonly detail: string };

function parseJson(bytes: Buffer): ParsedJson {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { ok: false, detail: 'not UTF-8' };
  }
  try {
    // Only an escape can bring in NUL or a lone surrogate: raw ones are not JSON or not UTF-8.
    return { ok: true, value: JSON.parse(text), hasEscapes: text.includes('\\u') };
  } catch {
    return { ok: false, detail: 'not JSON' };
  }
}

/** What the compiled schema cannot say: well-formed ids, and tags (a record's pattern does not see keys with a line break). */
function faultBeyondSchema(event: RequestSettled): string | null {
  for (const [field, pattern] of ID_FIELDS) {
    const id = event[field];
    if (typeof id === 'string' && !pattern.test(id)) return `/${field} is not an id of its kind`;
  }
  const tags: readonly (readonly [string, unknown])[] = Object.entries(event.tags);
  if (tags.length > MAX_TAGS) return `/tags has more than ${MAX_TAGS}`;
  const fits = tags.every(([key, value]) => key.length <= 128 && typeof value === 'string' && value.length <= 512);
  return fits ? null : '/tags has a key or a value out of bounds';
}
