import { Compile } from 'typebox/compile';
import { RequestSubject } from './request-settled.v1.ts';
import { isStorable } from './request-settled-fit.ts';

/** Largest `tp_subject` header in bytes; free metadata is left out of a larger one. */
const MAX_SUBJECT_BYTES = 12_288;

const check = Compile(RequestSubject);

/**
 * The header's text. Unstorable characters are replaced; metadata that does not fit is left out, since it is not the ledger's business.
 * @param subject JSON of a `RequestSubject`.
 */
export function encodeRequestSubject(subject: string): string {
  // What cannot be stored is escaped in JSON, so a text without escapes of that kind needs no second look.
  const text = subject.includes('\\u') ? JSON.stringify(JSON.parse(subject), storable) : subject;
  return Buffer.byteLength(text) <= MAX_SUBJECT_BYTES ? text : JSON.stringify({ ...JSON.parse(text), metadata: null });
}

/** The subject of a header, or null when the text is none. */
export function parseRequestSubject(text: string): RequestSubject | null {
  if (Buffer.byteLength(text) > MAX_SUBJECT_BYTES) return null;
  try {
    const subject: unknown = JSON.parse(text);
    if (!check.Check(subject)) return null;
    const metadata = Object.entries(subject.metadata ?? {}).flat();
    return [subject.endUser ?? '', subject.address ?? '', subject.alias ?? '', ...metadata].every(
      (part) => typeof part === 'string' && isStorable(part),
    )
      ? subject
      : null;
  } catch {
    return null;
  }
}

function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value;
}
