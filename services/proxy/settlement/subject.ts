import { hash } from 'node:crypto';
import type { RequestSubject } from '../../../schema/events/request-settled.v1.ts';

/**
 * The subject of a request as JSON, its fields in the schema's order and metadata by key: printed once, because it is stored,
 * committed to and shipped. Its salt makes equal persons unrecognizable in their commitments.
 */
export function createSubject(
  salt: Buffer,
  endUser: string | null,
  address: string | null,
  metadata: Readonly<Record<string, string>> | null,
  alias: string | null = null,
): string {
  const subject: RequestSubject = {
    salt: salt.toString('hex'),
    endUser,
    address,
    metadata: metadata === null ? null : Object.fromEntries(Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1))),
    ...(alias === null ? {} : { alias }),
  };
  return JSON.stringify(subject);
}

/**
 * What the event says of its subject: SHA-256 in hex over the subject's JSON, whose first field is the salt. Erasing the subject
 * leaves a commitment that nobody can open.
 */
export function commitmentTo(subject: string): string {
  return hash('sha256', subject, 'hex');
}
