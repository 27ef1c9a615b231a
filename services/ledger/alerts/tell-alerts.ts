import type { Insertable, Kysely, Transaction } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { BudgetAlertTable } from '../../../schema/tables/budget-alert.table.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { forecastExhaustion } from '../../../schema/values/budget-forecast.ts';
import { basisPointsOf } from '../../../schema/values/budget-threshold.ts';
import { mintUuid } from '../../../schema/values/ids.ts';
import type { Random } from '../../runtime/random.ts';
import { limitTransaction } from '../store/postgres/limit-transaction.ts';
import type { ToldThreshold } from './crossed-thresholds.ts';
import { crossedThresholds } from './crossed-thresholds.ts';

export interface AlertLook {
  /** Entries taken off the list of what had to be looked at. */
  readonly taken: number;
  /** Age of the oldest of them in milliseconds; 0 where there was none. */
  readonly oldestMs: number;
  /** Alerts that were added. */
  readonly told: number;
}

/** Limits whose counters are listed in one look; a limit can have a counter for each end user. */
const limitsPerLook = 20;

/**
 * Looks at counters on which something changed, at most `limit` entries of their list, and tells the thresholds they crossed: in one transaction, which
 * also takes the entries off the list. Any number of processes may look: each takes entries that no other has in hand, and an alert is
 * unique. Time is the database's, as it is for windows.
 */
export function tellAlerts(db: Kysely<Database>, random: Random, limit: number): Promise<AlertLook> {
  return db.transaction().execute(async (trx) => {
    await trx.executeQuery(CompiledQuery.raw(limitTransaction));
    await listCountersOfLimits(trx);
    const { now, taken, oldestMs, counters } = await takeCounters(trx, limit);
    if (counters.length === 0) return { taken, oldestMs, told: 0 };
    const known = await readCounters(trx, counters, now);
    const told = await readTold(trx, counters, now);
    const crossed = known.flatMap((counter) =>
      crossedThresholds({
        settled: counter.settled,
        amount: counter.amount,
        thresholds: counter.thresholds.map(basisPointsOf),
        told: told.get(counter.id) ?? new Map(),
      }).map((threshold) => ({ counter, ...threshold })),
    );
    if (crossed.length === 0) return { taken, oldestMs, told: 0 };
    const held = await readHeld(trx, [...new Set(crossed.map(({ counter }) => counter.id))]);
    const alerts = crossed.map(({ counter, basisPoints, occurrence }): Insertable<BudgetAlertTable> => {
      const { id, settled, amount, since, window_seconds, thresholds: _thresholds, ...place } = counter;
      const windowMs = window_seconds === null ? null : Number(window_seconds) * 1_000;
      return {
        ...place,
        id: mintUuid(now.getTime(), random.bytes(10)),
        counter_id: id,
        kind: 'threshold',
        threshold_basis_points: basisPoints,
        occurrence,
        amount,
        settled,
        held: held.get(id) ?? 0n,
        projected_exhaustion_at:
          since === null ? null : forecastExhaustion({ settled, amount, since, endsAt: counter.ends_at, windowMs }, now),
        created_at: now,
      };
    });
    // Came before us: another process that looked at the same counter at the same moment.
    const added = await trx
      .insertInto('budget_alerts')
      .values(alerts)
      .onConflict((conflict) => conflict.columns(['counter_id', 'kind', 'threshold_basis_points', 'occurrence']).doNothing())
      .returning('id')
      .execute();
    return { taken, oldestMs, told: added.length };
  });
}

/** Of a limit that changed, the counters of its present window: those of former windows keep what they were told by. */
async function listCountersOfLimits(trx: Transaction<Database>): Promise<void> {
  await sql`
    with taken as (
      delete from threshold_checks where ctid = any (array(
        select ctid from threshold_checks where limit_id is not null and due_at <= lease_now() limit ${limitsPerLook} for update skip locked))
      returning limit_id, due_at
    )
    insert into threshold_checks (counter_id, due_at)
    select budget_counters.id, changed.due_at
    from (select limit_id, min(due_at) as due_at from taken group by limit_id) as changed
      join budget_limits on budget_limits.id = changed.limit_id
      cross join lateral budget_window(window_kind, window_zone, window_anchor::timestamp, lease_now()) as present
      join budget_counters on budget_counters.limit_id = changed.limit_id
        and window_key = budget_window_key(segment, window_kind, present.starts_at)`.execute(trx);
}

async function takeCounters(
  trx: Transaction<Database>,
  limit: number,
): Promise<{ readonly now: Date; readonly taken: number; readonly oldestMs: number; readonly counters: readonly string[] }> {
  const { rows } = await sql<{ now: Date; taken: bigint; oldest: Date | null; counters: readonly string[] | null }>`
    with taken as (
      delete from threshold_checks where ctid = any (array(
        select ctid from threshold_checks where counter_id is not null limit ${limit} for update skip locked))
      returning counter_id, due_at
    ) select lease_now() as now, count(*) as taken, min(due_at) as oldest, array_agg(distinct counter_id) as counters from taken`.execute(
    trx,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an aggregate has one row');
  const { now, taken, oldest, counters } = row;
  return {
    now,
    taken: Number(taken),
    oldestMs: oldest === null ? 0 : Math.max(0, now.getTime() - oldest.getTime()),
    counters: counters ?? [],
  };
}

type KnownCounter = Pick<
  Insertable<BudgetAlertTable>,
  'organization_id' | 'budget_id' | 'limit_id' | 'group_key' | 'window_key' | 'unit'
> & {
  readonly id: string;
  readonly starts_at: Date | null;
  readonly ends_at: Date | null;
  readonly window_seconds: bigint | null;
  readonly settled: bigint;
  readonly amount: bigint;
  readonly thresholds: readonly string[];
  readonly since: Date | null;
};

/**
 * Counters whose thresholds hold: not of a budget, limit or window that a person has ended. A window that is over is judged by the limit as it
 * was at its end; not at all where the limit was changed since. Of a rolling window, only what has not left it by now is settled.
 */
async function readCounters(trx: Transaction<Database>, counters: readonly string[], now: Date): Promise<readonly KnownCounter[]> {
  const { rows } = await sql<KnownCounter>`
    select budget_counters.id, budget_counters.organization_id, budget_id, limit_id, group_key, window_key, starts_at, ends_at, unit,
      budget_counters.window_seconds, definition -> 'thresholds' as thresholds, greatest(starts_at, lease_log.recorded_at) as since,
      budget_amount(budget_limits.amount, raised, raised_until, least(${now}::timestamptz, ends_at)) as amount,
      case when budget_counters.window_seconds is null then counter_totals.settled else (
        select coalesce(sum(debit + excess), 0) from counter_buckets where counter_buckets.counter_id = budget_counters.id and began_at >=
          date_bin(make_interval(secs => budget_counters.window_seconds / 60), ${now}::timestamptz - make_interval(secs => budget_counters.window_seconds), 'epoch')
      ) end as settled
    from budget_counters
      join counter_totals on counter_totals.counter_id = budget_counters.id
      join budget_limits on budget_limits.id = limit_id
      join budgets on budgets.id = budget_id
      left join lease_log on lease_log.counter_id = budget_counters.id and lease_log.version = 1
    where budget_counters.id = any (${counters}::uuid[]) and counter_totals.settled > 0 and definition -> 'thresholds' <> '[]'
      and budget_counters.sealed_at is null and budget_limits.sealed_at is null and archived_at is null
      and (ends_at is null or ends_at > ${now} or budget_limits.updated_at <= ends_at)
    order by budget_counters.id`.execute(trx);
  return rows;
}

/** By counter and threshold. What was told a whole rolling window ago was of what has left it since. */
async function readTold(
  trx: Transaction<Database>,
  counters: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, ReadonlyMap<number, ToldThreshold>>> {
  const { rows } = await sql<{ counter_id: string; basis_points: number; times: number; settled: bigint | null }>`
    select counter_id, threshold_basis_points as basis_points, max(occurrence) as times,
      max(settled) filter (where window_seconds is null or created_at > ${now}::timestamptz - make_interval(secs => window_seconds)) as settled
    from budget_alerts join budget_counters on budget_counters.id = counter_id
    where counter_id = any (${counters}::uuid[]) and kind = 'threshold' group by counter_id, threshold_basis_points`.execute(trx);
  const told = new Map<string, Map<number, ToldThreshold>>();
  for (const { counter_id, basis_points, times, settled } of rows) {
    const ofCounter = told.get(counter_id) ?? new Map<number, ToldThreshold>();
    told.set(counter_id, ofCounter.set(basis_points, { times, settled }));
  }
  return told;
}

async function readHeld(trx: Transaction<Database>, counters: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const rows = await trx.selectFrom('counter_states').select(['id', 'held']).where('id', 'in', counters).execute();
  return new Map(rows.map(({ id, held }) => [id, held]));
}
