import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

/** How long a delivery that is over can be looked at and sent again. */
const keptMs = 90 * 86_400_000;
const everyMs = 600_000;
/** Rows deleted in one statement; the rest waits for the next time. */
const mostRows = 10_000;

/** Deletes deliveries, their tries with them, that were over long ago, so that the table stays as small as ninety days. */
export function startForgettingDeliveries(options: { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }): {
  readonly stop: () => Promise<void>;
} {
  const { db, clock, log } = options;
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= forgetDeliveries(db, clock.now())
      .catch((error: unknown) => log.warn({ error }, 'old deliveries of alerts could not be deleted; trying again'))
      .finally(() => {
        running = null;
      });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** Deletes what was over {@link keptMs} before `nowMs`, the oldest first, up to a bound. */
export async function forgetDeliveries(db: Kysely<Database>, nowMs: number): Promise<void> {
  await sql`delete from alert_deliveries where id = any(array(
    select id from alert_deliveries where finished_at < ${new Date(nowMs - keptMs)} order by finished_at limit ${mostRows}))`.execute(db);
}
