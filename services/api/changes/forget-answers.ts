import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';

/** Rows deleted in one statement; the rest waits for the next time. */
const mostRows = 10_000;

/** Deletes the answers given before an instant, the oldest first, up to a bound. */
export async function forgetAnswers(db: Kysely<Database>, before: Date): Promise<void> {
  await sql`delete from idempotency_keys where ctid = any(array(
    select ctid from idempotency_keys where created_at < ${before} order by created_at limit ${mostRows}))`.execute(db);
}
