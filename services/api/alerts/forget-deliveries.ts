import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';

/** How long a delivery that is over can be looked at and sent again. */
const keptMs = 90 * 86_400_000;
/** Rows deleted in one statement; the rest waits for the next time. */
const mostRows = 10_000;

/** Deletes what was over {@link keptMs} before `nowMs`, the oldest first, up to a bound. */
export async function forgetDeliveries(db: Kysely<Database>, nowMs: number): Promise<void> {
  await sql`delete from alert_deliveries where id = any(array(
    select id from alert_deliveries where finished_at < ${new Date(nowMs - keptMs)} order by finished_at limit ${mostRows}))`.execute(db);
}
