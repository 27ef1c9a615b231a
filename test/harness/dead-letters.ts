import { randomBytes } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { DeadLetterTable } from '../../schema/tables/dead-letter.table.ts';
import { mintUuid } from '../../schema/values/ids.ts';

let offsets = 0n;

/** Keeps a dead letter as the ledger does, at a place in the log of its own. @returns its uuid. */
export async function keepDeadLetter(
  db: Kysely<Database>,
  letter: Partial<Insertable<DeadLetterTable>> & { readonly organization_id: string | null },
): Promise<string> {
  offsets += 1n;
  const { id } = await db
    .insertInto('dead_letters')
    .values({
      id: mintUuid(Date.now(), randomBytes(10)),
      topic: 'turnpike.requests.v1',
      partition: 0,
      log_offset: offsets,
      reason: 'unparseable',
      detail: 'not JSON',
      record_key: 'a key',
      headers: { ce_id: 'x' },
      value: Buffer.from('{'),
      ...letter,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
