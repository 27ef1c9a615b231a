import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { replayedForMs } from './idempotency.ts';

const everyMs = 600_000;
/** Rows deleted in one statement; the rest waits for the next time. */
const mostRows = 10_000;

/** Deletes answers that are no longer replayed, so that the table stays as small as two days. */
export function startForgettingAnswers(options: { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }): {
  readonly stop: () => Promise<void>;
} {
  const { db, clock, log } = options;
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= forgetAnswers(db, new Date(clock.now() - replayedForMs))
      .catch((error: unknown) => log.warn({ error }, 'old answers could not be deleted; trying again'))
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

/** Deletes the answers given before an instant, the oldest first, up to a bound. */
export async function forgetAnswers(db: Kysely<Database>, before: Date): Promise<void> {
  await sql`delete from idempotency_keys where ctid = any(array(
    select ctid from idempotency_keys where created_at < ${before} order by created_at limit ${mostRows}))`.execute(db);
}
