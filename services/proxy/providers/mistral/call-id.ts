import { createHash } from 'node:crypto';

const LENGTH = 9;
const CALL_ID = /^[a-zA-Z0-9]{9}$/;

/** The id of a call as Mistral takes it, nine letters or digits; of another it is what its hash begins with, the same each time. */
export function mistralCallId(id: string): string {
  return CALL_ID.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, LENGTH);
}
