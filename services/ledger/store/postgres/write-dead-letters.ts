import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { byteaArray, plainArray, textArray } from '../../../journal/sql-array.ts';
import type { DeadLetterInsert } from '../ledger-store.ts';

/** Stores dead letters in one statement; a place in the log that has one keeps it. */
export async function writeDeadLetters(trx: Kysely<Database>, letters: readonly DeadLetterInsert[]): Promise<void> {
  if (letters.length === 0) return;
  await sql`insert into dead_letters (id, topic, partition, log_offset, reason, detail, organization_id, record_key, headers, value)
    select id, topic, partition, log_offset, reason, detail, organization_id, record_key, headers::jsonb, value
    from unnest(${plainArray(letters.map(({ id }) => id))}::uuid[],
      ${textArray(letters.map(({ topic }) => topic))}::text[],
      ${plainArray(letters.map(({ partition }) => partition))}::integer[],
      ${plainArray(letters.map(({ offset }) => offset))}::bigint[],
      ${textArray(letters.map(({ reason }) => reason))}::text[],
      ${textArray(letters.map(({ detail }) => detail))}::text[],
      ${plainArray(letters.map(({ organizationId }) => organizationId))}::uuid[],
      ${textArray(letters.map(({ key }) => key))}::text[],
      ${textArray(letters.map(({ headers }) => JSON.stringify(headers)))}::text[],
      ${byteaArray(letters.map(({ value }) => value))}::bytea[])
      as new (id, topic, partition, log_offset, reason, detail, organization_id, record_key, headers, value)
    on conflict (topic, partition, log_offset) do nothing`.execute(trx);
}
