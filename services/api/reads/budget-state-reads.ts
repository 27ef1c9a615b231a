import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Page, PageRequest } from '../../../schema/graphql/page.ts';
import type { BudgetStateFilter, BudgetStateReads, BudgetStateRow } from '../../../schema/graphql/ports/budget-state-reads.ts';
import type { BudgetKey, BudgetUnit } from '../../../schema/values/budget.ts';
import { groupKeyOf } from '../../registry/catalog/match-budgets.ts';
import type { StoredWindow } from './stored-window.ts';
import { windowOf } from './stored-window.ts';
import type { TenantRead } from './tenant-read.ts';

/** Resets of one limit whose counters are shown: the latest. */
const MOST_SEGMENTS = 100;

/** Reads of what is used of one organization's budgets. */
export function createBudgetStateReads(read: TenantRead, organizationId: string, aliasOf: (endUser: string) => string): BudgetStateReads {
  return {
    states: (budgetIds, page, filter) =>
      read(async (trx) => {
        const { rows } = await statesQuery(organizationId, budgetIds, page, filter, aliasOf).execute(trx);
        const ofBudget = Map.groupBy(rows, ({ budget_id }) => budget_id);
        return budgetIds.map((id) => pageOf(ofBudget.get(id) ?? [], page));
      }),
  };
}

interface Row extends StoredWindow {
  readonly budget_id: string;
  readonly counter_id: string;
  readonly group_by: readonly BudgetKey[];
  readonly group_key: string;
  readonly unit: BudgetUnit;
  readonly starts_at: Date | null;
  readonly ends_at: Date | null;
  readonly amount: bigint;
  readonly settled: bigint;
  readonly held: bigint;
  readonly lost: bigint;
  readonly overrun: bigint;
  readonly is_sealed: boolean;
  readonly is_wanted: boolean;
  readonly is_reconciling: boolean;
  readonly used_since: Date | null;
  readonly as_of: Date;
}

/**
 * One statement, so that all figures are of one moment. The keys of a limit's windows are computed, and so are the ids of counters: what is
 * looked at grows with the page, not with the groups and windows that there ever were. A counter that nobody has used yet is there all the
 * same where the budget has no groups. What has left a rolling window since the last ask is taken off here as the next one will.
 */
function statesQuery(
  organizationId: string,
  budgetIds: readonly string[],
  page: PageRequest,
  { at, includeSealed, group }: BudgetStateFilter,
  aliasOf: (endUser: string) => string,
): RawBuilder<Row> {
  const { after, before } = page;
  const wanted = sql.join(
    [
      sql`true`,
      ...(group === null ? [] : [sql`group_key = any (${keysOfGroup(group, aliasOf)}::text[])`]),
      // The first condition of each is implied by the second; the index knows only it.
      ...(after === null ? [] : [sql`group_key >= ${after.sort} and (group_key, id) > (${after.sort}::text, ${after.id}::uuid)`]),
      ...(before === null ? [] : [sql`group_key <= ${before.sort} and (group_key, id) < (${before.sort}::text, ${before.id}::uuid)`]),
    ],
    sql` and `,
  );
  const direction = sql.raw(page.fromEnd ? 'desc' : 'asc');
  const ordered = sql`order by group_key ${direction}, id ${direction} limit ${page.limit + 1}`;
  return sql<Row>`
    with clock as materialized (
      select lease_now() as now, exists (select from lease_generation where reconciling_since is not null) as is_reconciling
    ), spans as (
      select budgets.id as budget_id, definition -> 'groupBy' as group_by, budget_limits.id as limit_id, unit, window_kind, window_zone, window_anchor,
        window_seconds, span.starts_at, span.ends_at, budget_window_key(of_segment, window_kind, span.starts_at) as window_key,
        budget_amount(amount, raised, raised_until, clock.now)::numeric(38, 0) as amount, sealed_at is not null as is_sealed,
        definition -> 'groupBy' = '[]' and sealed_at is null and of_segment = segment and ${at}::timestamptz is null as is_implied,
        definition ->> 'enforcement' in ('enforce', 'downgrade') as is_holding
      from clock cross join budgets join budget_limits on budget_id = budgets.id
        cross join lateral budget_window(window_kind, window_zone, window_anchor::timestamp, coalesce(${at}::timestamptz, clock.now)) as span
        cross join lateral generate_series(case when ${includeSealed} then greatest(0, segment - ${MOST_SEGMENTS - 1}) else segment end, segment)
          as of_segment
      where budgets.organization_id = ${organizationId} and budgets.id = any (${[...budgetIds]}::uuid[])
        and (sealed_at is null or ${includeSealed})
    ), found as (
      select of_page.* from unnest(${[...budgetIds]}::uuid[]) as budget (of_budget) cross join lateral (
        select * from spans cross join lateral (
          (select id, group_key from budget_counters
            where budget_counters.limit_id = spans.limit_id and budget_counters.window_key = spans.window_key and ${wanted}
            ${ordered})
          union all
          select id, group_key from (select budget_counter_id(spans.limit_id, spans.window_key, '') as id, '' as group_key) as unused
            where is_implied and ${wanted} and not exists (select from budget_counters where budget_counters.id = unused.id)
        ) as counter
        where budget_id = of_budget
        ${ordered}
      ) as of_page
    )
    select found.budget_id, found.id as counter_id, group_by, found.group_key, found.unit, window_kind, window_zone, window_anchor, found.window_seconds,
      found.starts_at, found.ends_at, found.amount,
      coalesce(state.settled, 0) - coalesce(aged.debit + aged.excess, 0) as settled, coalesce(state.held, 0) as held, coalesce(state.lost, 0) as lost,
      -- Where nothing is held, all that is settled is beyond what was held for it, and no overrun of anything.
      case when is_holding then coalesce(state.overrun, 0) - coalesce(aged.excess, 0) else 0 end as overrun,
      is_sealed or state.sealed_at is not null or coalesce(found.ends_at <= clock.now, false) as is_sealed,
      coalesce(state.wanted_at > clock.now - lease_scarce(), false) as is_wanted, is_reconciling,
      coalesce((select recorded_at from lease_log where counter_id = found.id and version = 1), found.starts_at) as used_since, clock.now as as_of
    from clock cross join found
      -- Fenced off, both: or every counter there is would be read and summed up, and then joined.
      left join lateral (select * from counter_states where counter_states.id = found.id offset 0) as state on true
      left join lateral (select * from budget_counters where budget_counters.id = found.id and window_seconds is not null offset 0) as counter on true
      left join lateral (
        select counter.folded_debit + coalesce(sum(debit), 0) - counter.aged_debit as debit,
          counter.folded_excess + coalesce(sum(excess), 0) - counter.aged_excess as excess
        from (select date_bin(make_interval(secs => counter.window_seconds / 60), clock.now - make_interval(secs => counter.window_seconds), 'epoch')
            as until) as due
          left join counter_buckets on counter_id = counter.id and began_at >= counter.folded_until and began_at < until
        where until > counter.aged_until
        having count(until) > 0
      ) as aged on true
    order by found.group_key ${direction}, found.id ${direction}`;
}

/** What each budget groups by stands in the statement: any of the values may be an end user, of whom the key has the alias. */
function keysOfGroup(values: readonly (string | null)[], aliasOf: (endUser: string) => string): string[] {
  const asEndUser = values.map((named, index) => values.map((value, at) => (at === index && named !== null ? aliasOf(named) : value)));
  return [...new Set([values, ...asEndUser].map(groupKeyOf))];
}

function pageOf(found: readonly Row[], { limit, fromEnd }: PageRequest): Page<BudgetStateRow> {
  const rows = found.slice(0, limit).map(stateOf);
  return { rows: fromEnd ? rows.reverse() : rows, more: found.length > limit };
}

function stateOf(row: Row): BudgetStateRow {
  const { unit, amount, settled, held, lost, overrun } = row;
  return {
    counterId: row.counter_id,
    unit,
    window: windowOf(row),
    groupBy: row.group_by,
    groupKey: row.group_key,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    amount,
    settled,
    held,
    lost,
    overrun,
    isSealed: row.is_sealed,
    isWanted: row.is_wanted,
    isReconciling: row.is_reconciling,
    usedSince: row.used_since,
    asOf: row.as_of,
  };
}
