import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { createPartitionKeeper } from '../journal/append-entries.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { HourlyWork } from './every-hour.ts';
import { everyHour } from './every-hour.ts';

/** How long finer rollups are kept; days are kept for ever, and so is every entry. */
export const retentionMs = { minute: 48 * 3_600_000, hour: 400 * 86_400_000 } as const;
/** Months that have their partition ahead of time, so that no batch has to wait for one. */
const monthsAhead = 3;
/** Rows of one statement, so that no batch waits long for the rows it locks. */
const chunkRows = 5_000;
/** Fewer of what may be a megabyte each. */
const chunkKeys = 500;

/** A proxy unseen for so long does not keep the others from going on after a restored database; what it holds stays held, shown as lost. */
const lostAfter = '24 hours';

/**
 * Makes the ledger's partitions of this and the coming months and removes rollups that are past their time, by this clock and by
 * the database's: one that is days ahead must not take what people still look at. Removes idempotency keys past their day. Declares proxies lost that
 * nobody has seen. Safe to run from many sides at once.
 */
export async function keepHouse(db: Kysely<Database>, nowMs: number): Promise<{ readonly removed: bigint }> {
  const now = new Date(nowMs);
  const months = Array.from({ length: monthsAhead + 1 }, (_, ahead) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead));
  await createPartitionKeeper(db).ensure(months);
  const minutes = await removeOld(db, 'usage_minute', nowMs, retentionMs.minute);
  const hours = await removeOld(db, 'usage_hour', nowMs, retentionMs.hour);
  const keys = await removeOldKeys(db);
  await sql`
    select lease_declare_lost(id) from lease_nodes
    where lost_at is null and seen_at < lease_now() - ${lostAfter}::interval order by id`.execute(db);
  return { removed: minutes + hours + keys };
}

async function removeOld(db: Kysely<Database>, table: 'usage_minute' | 'usage_hour', nowMs: number, keptMs: number): Promise<bigint> {
  const end = sql`least(${new Date(nowMs)}::timestamptz, now()) - make_interval(secs => ${keptMs / 1_000})`;
  let removed = 0n;
  for (;;) {
    const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where ctid = any (array(
      select ctid from ${sql.table(table)} where bucket < ${end} limit ${chunkRows}))`.execute(db);
    removed += numAffectedRows;
    if (numAffectedRows < BigInt(chunkRows)) return removed;
  }
}

/** Their answers go with them. */
async function removeOldKeys(db: Kysely<Database>): Promise<bigint> {
  let removed = 0n;
  for (;;) {
    const { numAffectedRows = 0n } = await sql`delete from keyed_requests where (organization_id, key_hash) in (
      select organization_id, key_hash from keyed_requests where claimed_at <= lease_now() - keyed_request_age() order by claimed_at
      limit ${chunkKeys} for update skip locked)`.execute(db);
    removed += numAffectedRows;
    if (numAffectedRows < BigInt(chunkKeys)) return removed;
  }
}

/** Keeps house at once and every hour. */
export function startHousekeeping({
  db,
  clock,
  log,
}: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly log: Log;
}): HourlyWork {
  const work = async (): Promise<void> => {
    const { removed } = await keepHouse(db, clock.now());
    if (removed > 0n) log.info({ rows: removed.toString() }, 'removed rollups and idempotency keys past their time');
  };
  return everyHour(work, 'keeping house failed', log);
}
