import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { Log } from '../runtime/log.ts';
import type { HourlyWork } from './every-hour.ts';
import { everyHour } from './every-hour.ts';
import type { PurgeMetrics } from './ledger-metrics.ts';

export interface Purged {
  /** Counters that went. */
  readonly removed: number;
  /** Counters whose leases, postings and log became one entry. */
  readonly summedUp: number;
  /** Counters that go on, and whose first entries became one. */
  readonly shortened: number;
  /** Of rolling windows. */
  readonly buckets: number;
}

/** Bounds of one transaction, which takes some tens of milliseconds. */
export interface PurgeBounds {
  readonly counters: number;
  readonly entries: number;
  /** Fewer old entries of a counter that goes on are not worth a write. */
  readonly oldEntries: number;
  readonly buckets: number;
}

const bounds: PurgeBounds = { counters: 500, entries: 20_000, oldEntries: 1_000, buckets: 5_000 };

/** Of a counter among those of its limit, which are looked at in the order of their ends. */
interface Place {
  /** As text: it may be infinity. */
  readonly end: string;
  readonly id: string;
}

const firstId = '00000000-0000-0000-0000-000000000000';
const first: Place = { end: '-infinity', id: firstId };

/**
 * Purges counters of windows that are long over, as migrations/0030_purged_counters.sql says, limit by limit, in small transactions that wait for nobody,
 * and shortens the logs of those that go on (migrations/0037_long_logs.sql).
 * Between two it rests for as long as one took: half of the time is anybody's. Any number of processes may try, one at a time does it.
 * @param told of each transaction.
 */
export async function purgeCounters(
  db: Kysely<Database>,
  signal: AbortSignal,
  told: (step: Pick<Purged, 'removed' | 'summedUp'>) => void = () => {},
  most: PurgeBounds = bounds,
): Promise<Purged> {
  let removed = 0;
  let summedUp = 0;
  let shortened = 0;
  let buckets = 0;
  for (const limit of await limitsToPurge(db)) {
    for (let place: Place | null = first; place !== null && !signal.aborted; ) {
      const after: Place = place;
      const step = await rested(signal, () => purgeFrom(db, limit, after, most));
      removed += step.removed;
      summedUp += step.summedUp;
      told(step);
      place = step.next;
    }
  }
  for (let place: string | null = firstId; place !== null && !signal.aborted; ) {
    const after: string = place;
    const step = await rested(signal, () => sumUpLongLogs(db, after, most));
    shortened += step.shortened;
    place = step.next;
  }
  for (const limit of await rollingLimits(db)) {
    for (let count = most.buckets; count === most.buckets && !signal.aborted; buckets += count) {
      count = await rested(signal, () => purgeBuckets(db, limit, most.buckets));
    }
  }
  return { removed, summedUp, shortened, buckets };
}

/** Purges at once and every hour. */
export function startPurge(options: { readonly db: Kysely<Database>; readonly log: Log; readonly metrics: PurgeMetrics }): HourlyWork {
  const { db, log, metrics } = options;
  const work = async (stopping: AbortSignal): Promise<void> => {
    const purged = await purgeCounters(db, stopping, metrics.purged);
    if (Object.values(purged).some((count) => count > 0)) log.info({ ...purged }, 'purged counters of windows long over');
  };
  return everyHour(work, 'counters of windows long over could not be purged', log);
}

async function limitsToPurge(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from budget_limits where exists (
      select from budget_counters where limit_id = budget_limits.id and summed_up_at is null
        and (ends_at <= lease_now() - short_counter_age()
          or ends_at is null and coalesce(budget_counters.sealed_at, budget_limits.sealed_at) <= lease_now() - counter_detail_age()))
    order by id`.execute(db);
  return rows.map(({ id }) => id);
}

async function rollingLimits(db: Kysely<Database>): Promise<readonly string[]> {
  const rows = await db.selectFrom('budget_limits').select('id').where('window_kind', '=', 'rolling').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

async function purgeFrom(
  db: Kysely<Database>,
  limit: string,
  after: Place,
  most: PurgeBounds,
): Promise<Pick<Purged, 'removed' | 'summedUp'> & { readonly next: Place | null }> {
  const { rows } = await sql<{ removed: number; summed_up: number; next_end: string | null; next_id: string | null }>`
    select removed, summed_up, next_end::text, next_id
    from purge_counters(${limit}, ${after.end}::timestamptz, ${after.id}, ${most.counters}, ${most.entries})`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the function answers with one row');
  const { removed, summed_up: summedUp, next_end: end, next_id: id } = row;
  return { removed, summedUp, next: end === null || id === null ? null : { end, id } };
}

async function sumUpLongLogs(
  db: Kysely<Database>,
  after: string,
  { counters, oldEntries, entries }: PurgeBounds,
): Promise<{ readonly shortened: number; readonly next: string | null }> {
  const { rows } = await sql<{ shortened: number; next_id: string | null }>`
    select shortened, next_id from sum_up_long_logs(${after}, ${counters}, ${oldEntries}, ${entries})`.execute(db);
  return { shortened: rows[0]?.shortened ?? 0, next: rows[0]?.next_id ?? null };
}

async function purgeBuckets(db: Kysely<Database>, limit: string, most: number): Promise<number> {
  const { rows } = await sql<{ removed: number }>`select purge_buckets(${limit}, ${most}) as removed`.execute(db);
  return rows[0]?.removed ?? 0;
}

async function rested<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  const startedAtMs = performance.now();
  const result = await work();
  await pause(performance.now() - startedAtMs, undefined, { signal }).catch(() => {});
  return result;
}
