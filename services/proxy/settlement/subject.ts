import { hash } from 'node:crypto';
import type { RequestSubject } from '../../../schema/events/request-settled.v1.ts';

/** The subject of a request, with a salt of its own so that equal persons cannot be told from equal commitments. */
export function createSubject(
  salt: Buffer,
  endUser: string | null,
  address: string | null,
  metadata: Readonly<Record<string, string>> | null,
): RequestSubject {
  return {
    salt: salt.toString('hex'),
    endUser,
    address,
    metadata: metadata === null ? null : Object.fromEntries(Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}

/**
 * What the event says of its subject: SHA-256 in hex over the subject's JSON (fields in the schema's order, metadata by key),
 * whose first field is the salt. Erasing the subject leaves a commitment that nobody can open.
 */
export function commitmentTo(subject: RequestSubject): string {
  return hash('sha256', JSON.stringify(subject), 'hex');
}
