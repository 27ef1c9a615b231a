import type { Fields } from '../../body/json-fields.ts';
import { jsonMembers } from '../../body/json-members.ts';

const CLOSE_BRACE = 0x7d;

/**
 * The outermost members of a JSON object but the one that is long, which is left unread: vectors and pictures are megabytes, and nothing of them
 * matters here. Null where the bytes are no whole object.
 */
export function outerMembers(bytes: Buffer, unread: string): Fields | null {
  const members = jsonMembers(bytes);
  const last = members?.at(-1);
  if (members === null || last === undefined) return null;
  if (bytes.subarray(last.end).toString('latin1').trim().charCodeAt(0) !== CLOSE_BRACE) return null;
  const fields: Record<string, unknown> = {};
  for (const { key, start, end } of members) {
    if (key === unread) {
      fields[key] = UNREAD;
      continue;
    }
    try {
      fields[key] = JSON.parse(bytes.toString('utf8', start, end));
    } catch {
      return null;
    }
  }
  return fields;
}

/** In the place of what was not read. */
const UNREAD = Symbol('unread');
