import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { RateLimitStateReads, RateLimitStateRow } from '../../../schema/graphql/ports/rate-limits.ts';
import type { RateLimitTable } from '../../../schema/tables/rate-limit.table.ts';
import type { BudgetCondition, BudgetDimension } from '../../../schema/values/budget.ts';
import type { IdKind } from '../../../schema/values/ids.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { RateLimitRule } from '../../../schema/values/rate-limit.ts';
import { groupKeyOf } from '../../registry/catalog/match-budgets.ts';
import type { TenantRead } from './tenant-read.ts';

/** Groups of one limit that are shown of a key, where requests of it are told apart by something else too. */
const MOST_GROUPS = 20;

/** Reads of how the rate limits of one organization's keys stand. */
export function createRateLimitStateReads(read: TenantRead, organizationId: string): RateLimitStateReads {
  return {
    rateLimitStates: (apiKeyIds, first) =>
      read(async (trx) => {
        const keys = await trx
          .selectFrom('api_keys')
          .select(['id', 'team_id', 'user_id', 'service_account_id'])
          .where('organization_id', '=', organizationId)
          .where('id', 'in', apiKeyIds)
          .execute();
        const rateLimits = await trx
          .selectFrom('rate_limits')
          .select(['id', 'definition'])
          .where('organization_id', '=', organizationId)
          .where('archived_at', 'is', null)
          .orderBy('id')
          .execute();
        const asked = keys.flatMap((key) => ofKey(rateLimits, key).slice(0, first));
        if (asked.length === 0) return apiKeyIds.map(() => []);
        const counted = await countedStates(organizationId, asked).execute(trx);
        const shared = await sharedStates(organizationId, asked).execute(trx);
        const rows = [...counted.rows.map(countedRow), ...shared.rows.map(sharedRow)];
        const states = rows.flatMap((row) => {
          const limit = asked[row.item - 1];
          return limit === undefined ? [] : [{ keyId: limit.keyId, item: row.item, state: stateOf(limit, row) }];
        });
        states.sort((one, other) => one.item - other.item);
        const ofKeys = Map.groupBy(states, ({ keyId }) => keyId);
        return apiKeyIds.map((id) => (ofKeys.get(id) ?? []).slice(0, first).map(({ state }) => state));
      }),
  };
}

/** How those stand that are counted, in the window that runs. */
function countedStates(organizationId: string, asked: readonly AskedLimit[]): RawBuilder<CountedRow> {
  return sql<CountedRow>`
    with clock as materialized (select lease_now() as now), spans as (
      select item, limit_id, asked.group_key, known, span.ends_at, budget_window_key(segment, window_kind, span.starts_at) as window_key,
        budget_amount(amount, raised, raised_until, clock.now)::numeric(38, 0) as amount
      from clock cross join unnest(${asked.map(({ limitId }) => limitId)}::uuid[], ${asked.map(({ groupKey }) => groupKey)}::text[],
          ${asked.map(({ known }) => JSON.stringify(known))}::jsonb[]) with ordinality as asked (limit_id, group_key, known, item)
        join budget_limits on budget_limits.id = limit_id and organization_id = ${organizationId} and sealed_at is null
        cross join lateral budget_window(window_kind, window_zone, window_anchor::timestamp, clock.now) as span
    ), found as (
      select item, amount, ends_at, counter.* from spans cross join lateral (
        select budget_counter_id(limit_id, window_key, group_key) as id, group_key where group_key is not null
        union all (
          select id, budget_counters.group_key from budget_counters
          where spans.group_key is null and budget_counters.limit_id = spans.limit_id and budget_counters.window_key = spans.window_key
            and case when budget_counters.group_key like '[%' then not exists (
              select from jsonb_each(known) as part where budget_counters.group_key::jsonb -> part.key::integer is distinct from part.value
            ) else false end
          order by budget_counters.group_key limit ${MOST_GROUPS})
      ) as counter (id, group_key)
    )
    select item::integer, found.group_key, found.amount, coalesce(settled, 0) as settled, coalesce(held, 0) as held, found.ends_at, clock.now as as_of
    from clock cross join found left join counter_states on counter_states.id = found.id
    order by item, found.group_key`;
}

/** How those stand that are shared, as proxies last told. */
function sharedStates(organizationId: string, asked: readonly AskedLimit[]): RawBuilder<SharedRow> {
  return sql<SharedRow>`
    with asked as (
      select item, limit_id, asked.group_key, known, amount, period_ms
      from unnest(${asked.map(({ limitId }) => limitId)}::uuid[], ${asked.map(({ groupKey }) => groupKey)}::text[],
          ${asked.map(({ known }) => JSON.stringify(known))}::jsonb[]) with ordinality as asked (limit_id, group_key, known, item)
        join shared_limits on shared_limits.id = limit_id and organization_id = ${organizationId} and sealed_at is null
    ), found as (
      select item, limit_id, amount, period_ms, place.group_key from asked cross join lateral (
        select group_key where group_key is not null
        union all (
          select distinct shares.group_key from shares
          where asked.group_key is null and shares.limit_id = asked.limit_id
            and case when shares.group_key like '[%' then not exists (
              select from jsonb_each(known) as part where shares.group_key::jsonb -> part.key::integer is distinct from part.value
            ) else false end
          order by shares.group_key limit ${MOST_GROUPS})
      ) as place (group_key)
    )
    select item::integer, found.group_key, amount, period_ms, lease_now() as as_of, proxies::integer, given, used, error_bound
    from found cross join lateral (
      select count(*) filter (where lapsed_at is null and share > 0) as proxies,
        coalesce(sum(share) filter (where lapsed_at is null), 0)::numeric(38, 0) as given,
        coalesce(sum(least(used, share)) filter (where lapsed_at is null), 0)::numeric(38, 0) as used,
        coalesce(sum(share) filter (where lapsed_at is not null), 0)::numeric(38, 0) as error_bound
      from shares where shares.limit_id = found.limit_id and shares.group_key = found.group_key
    ) as told
    order by item, found.group_key`;
}

function countedRow({ item, group_key, amount, settled, held, ends_at, as_of }: CountedRow): Row {
  return { item, groupKey: group_key, amount, settled, held, endsAt: ends_at, shares: null, asOf: as_of };
}

function sharedRow(row: SharedRow): Row {
  const { item, group_key, amount, period_ms, proxies, given, used, error_bound, as_of } = row;
  const settled = period_ms === null ? 0n : used;
  const shares = { proxies, given, used, errorBound: error_bound };
  return { item, groupKey: group_key, amount, settled, held: given - settled, endsAt: null, shares, asOf: as_of };
}

type Row = Pick<RateLimitStateRow, 'amount' | 'settled' | 'held' | 'endsAt' | 'shares' | 'asOf'> & {
  readonly item: number;
  readonly groupKey: string;
};

interface SharedRow {
  readonly item: number;
  readonly group_key: string;
  readonly amount: bigint;
  readonly period_ms: number | null;
  readonly proxies: number;
  readonly given: bigint;
  readonly used: bigint;
  readonly error_bound: bigint;
  readonly as_of: Date;
}

interface CountedRow {
  readonly item: number;
  readonly group_key: string;
  readonly amount: bigint;
  readonly settled: bigint;
  readonly held: bigint;
  readonly ends_at: Date;
  readonly as_of: Date;
}

interface Key {
  readonly id: string;
  readonly team_id: string | null;
  readonly user_id: string | null;
  readonly service_account_id: string | null;
}

/** A limit that may count requests of a key. */
interface AskedLimit {
  readonly keyId: string;
  readonly rateLimit: Pick<LiveRateLimit, 'id' | 'definition'>;
  readonly rule: RateLimitRule;
  readonly isCommon: boolean;
  readonly limitId: string;
  /** Null: the key alone does not say which group. */
  readonly groupKey: string | null;
  /** Of a group, what the key says, by place. */
  readonly known: Readonly<Record<string, string | null>>;
}

interface LiveRateLimit {
  readonly id: string;
  readonly definition: RateLimitTable['definition']['__select__'];
}

function ofKey(rateLimits: readonly LiveRateLimit[], key: Key): AskedLimit[] {
  return rateLimits.flatMap((rateLimit) => {
    const { selector, groupBy, limits } = rateLimit.definition;
    if (!selector.every((condition) => mayHold(condition, key))) return [];
    const values = groupBy.map(({ dimension }) => factOf(dimension, key));
    const isCertain = values.every((value) => value !== undefined);
    const groupKey = isCertain ? groupKeyOf(values.map((value) => value ?? null)) : null;
    const known = Object.fromEntries(values.flatMap((value, place) => (value === undefined ? [] : [[String(place), value]])));
    const asked = { keyId: key.id, rateLimit, groupKey, known };
    return limits.flatMap((rule) => [
      { ...asked, rule, limitId: rule.id, isCommon: false },
      ...(rule.commonId === null ? [] : [{ ...asked, rule, limitId: rule.commonId, isCommon: true }]),
    ]);
  });
}

/** What the key does not say its requests may. */
function mayHold({ dimension, in: values }: BudgetCondition, key: Key): boolean {
  const value = factOf(dimension, key);
  return value === undefined || (value !== null && values.includes(value));
}

/** Undefined: each request says it for itself. */
function factOf(dimension: BudgetDimension, key: Key): string | null | undefined {
  switch (dimension) {
    case 'api_key':
      return idFromUuid('apiKey', key.id);
    case 'team':
      return idOrNull('team', key.team_id);
    case 'user':
      return idOrNull('user', key.user_id);
    case 'service_account':
      return idOrNull('serviceAccount', key.service_account_id);
    default:
      return undefined;
  }
}

function idOrNull(kind: IdKind, uuid: string | null): string | null {
  return uuid === null ? null : idFromUuid(kind, uuid);
}

function stateOf({ rateLimit, rule, isCommon }: AskedLimit, row: Row): RateLimitStateRow {
  const { groupBy } = rateLimit.definition;
  const { groupKey, item: _, ...figures } = row;
  const { unit, per } = rule;
  return { ...figures, rateLimitId: rateLimit.id, unit, per, isCommon, groupBy, group: groupOf(groupKey) };
}

function groupOf(groupKey: string): readonly (string | null)[] | null {
  if (groupKey === '') return [];
  const values: unknown = groupKey.startsWith('[') ? JSON.parse(groupKey) : null;
  return Array.isArray(values) ? values.map((value: unknown) => (typeof value === 'string' ? value : null)) : null;
}
