import type { RequestSettled, RequestSubject } from '../../../schema/events/request-settled.v1.ts';
import { serializeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { parseRequestSubject } from '../../../schema/events/request-subject.ts';

const NEWLINE = 0x0a;
const SEPARATOR = Buffer.from('\n');

/**
 * What stands in the spool while a request is open: the very event that settles it should this process die, then its subject.
 * Whoever finds it needs to know nothing of the version that wrote it.
 */
export function encodeOrphanDraft(event: RequestSettled, subject: RequestSubject | null): Buffer {
  const bytes = serializeRequestSettled(event);
  return subject === null ? bytes : Buffer.concat([bytes, SEPARATOR, Buffer.from(JSON.stringify(subject), 'utf8')]);
}

/** The event's bytes and the subject of a draft. A line break cannot occur in JSON text as we write it. */
export function decodeOrphanDraft(draft: Buffer): { readonly value: Buffer; readonly subject: RequestSubject | null } {
  const end = draft.indexOf(NEWLINE);
  if (end < 0) return { value: draft, subject: null };
  return { value: draft.subarray(0, end), subject: parseRequestSubject(draft.toString('utf8', end + 1)) };
}
