import type { RawBuilder, Selectable } from 'kysely';
import { sql } from 'kysely';
import { badInput } from '../../../schema/graphql/bad-input.ts';
import type { Page, PageKey, PageRequest } from '../../../schema/graphql/page.ts';
import type {
  LeaseReads,
  LeaseRow,
  LimitRow,
  MovementRow,
  OldestHoldRow,
  OpenHoldsRow,
  ProxyRow,
} from '../../../schema/graphql/ports/lease-reads.ts';
import type { SharedLimitTable } from '../../../schema/tables/shared-limit.table.ts';
import type { BudgetUnit } from '../../../schema/values/budget.ts';
import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { StoredWindow } from './stored-window.ts';
import { windowOf } from './stored-window.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of the leases of one organization's budgets, and of proxies. */
export function createLeaseReads(read: TenantRead, organizationId: string): LeaseReads {
  return {
    leases: (counterIds, page, includeDone) =>
      read(async (trx) =>
        pagesOf(counterIds, page, (await leasesQuery(organizationId, counterIds, page, includeDone).execute(trx)).rows, leaseOf),
      ),
    movements: (counterIds, page) =>
      read(async (trx) =>
        pagesOf(counterIds, page, (await movementsQuery(organizationId, counterIds, page).execute(trx)).rows, movementOf),
      ),
    openHolds: (counterIds) =>
      read(async (trx) => {
        const { rows } = await openHoldsQuery(counterIds).execute(trx);
        const ofCounter = Map.groupBy(rows, ({ counter_id }) => counter_id);
        return counterIds.map((id) => (ofCounter.get(id) ?? []).map(openHoldsOf));
      }),
    oldestOpenHolds: (most) =>
      read(async (trx) => {
        const { rows } = await sql<StoredOldestHold>`
          select open.*, unit, ${seen}, ${isUnheard}
          from lease_oldest_open_holds(${most}) as open join budget_counters on budget_counters.id = counter_id
            join budget_limits on budget_limits.id = limit_id join lease_nodes on lease_nodes.id = node_id
          order by request, counter_id, node_id`.execute(trx);
        return rows.map(oldestHoldOf);
      }),
    limitsOfCounters: (counterIds) =>
      read(async (trx) => {
        const { rows } = await sql<StoredLimit>`
          select budget_counters.id as asked, ${limitColumns} from budget_counters join budget_limits on budget_limits.id = limit_id
          where budget_counters.id = any (${[...counterIds]}::uuid[]) and budget_counters.organization_id = ${organizationId}`.execute(trx);
        return new Map(rows.map((row) => [row.asked, limitOf(row)]));
      }),
    limitsById: (limitIds) =>
      read(async (trx) => {
        const { rows } = await sql<StoredLimit>`
          select id as asked, ${limitColumns} from budget_limits
          where id = any (${[...limitIds]}::uuid[]) and organization_id = ${organizationId}`.execute(trx);
        const shared = await trx
          .selectFrom('shared_limits')
          .select(['id', 'rate_limit_id', 'unit', 'period_ms'])
          .where(sql<boolean>`id = any (${[...limitIds]}::uuid[])`)
          .where('organization_id', '=', organizationId)
          .execute();
        return new Map([
          ...rows.map((row) => [row.asked, limitOf(row)] as const),
          ...shared.map((row) => [row.id, sharedLimitOf(row)] as const),
        ]);
      }),
    proxyById: (id) =>
      read(async (trx) => {
        const { rows } = await sql<SeenRow>`select id as node_id, ${seen} from lease_nodes where id = ${id}`.execute(trx);
        return rows[0] === undefined ? null : proxyOf(id, rows[0]);
      }),
    proxies: (page) =>
      read(async (trx) => {
        const { rows } = await sql<SeenRow>`
          select id as node_id, ${seen} from lease_nodes
          where ${beyond(page, (key) => [sql`id`, sql`${key.id}::uuid`])}
          order by id ${directionOf(page.fromEnd)} limit ${page.limit + 1}`.execute(trx);
        return pageOf(page, rows, (row) => proxyOf(row.node_id, row));
      }),
  };
}

type SharedLimitRow = Pick<Selectable<SharedLimitTable>, 'rate_limit_id' | 'unit' | 'period_ms'>;

interface SeenRow {
  readonly node_id: string;
  readonly node_epoch: bigint | null;
  readonly seen_at: Date | null;
  readonly lost_at: Date | null;
  readonly is_silent: boolean;
}

type StoredLimit = StoredWindow & {
  readonly asked: string;
  readonly budget_id: string;
  readonly unit: RateLimitUnit;
  readonly is_rate_limit: boolean;
};

type StoredLease = SeenRow &
  Omit<LeaseRow, 'counterId' | 'proxy' | 'grantedAt' | 'closedAt' | 'left'> & {
    readonly counter_id: string;
    readonly held: bigint;
    readonly granted_at: Date | null;
    readonly closed_at: Date | null;
  };

type StoredMovement = Omit<SeenRow, 'node_id'> &
  Omit<MovementRow, 'counterId' | 'proxy' | 'recordedAt'> & {
    readonly counter_id: string;
    readonly node_id: string | null;
    readonly recorded_at: Date;
  };

const seen = sql`lease_nodes.epoch as node_epoch, seen_at, lost_at, coalesce(seen_at < lease_now() - lease_node_ttl(), true) as is_silent`;
const limitColumns = sql`budget_id, unit, window_kind, window_zone, window_anchor, budget_limits.window_seconds,
  exists (select from rate_limits where rate_limits.id = budget_id) as is_rate_limit`;
const directionOf = (isDescending: boolean): RawBuilder<unknown> => sql.raw(isDescending ? 'desc' : 'asc');

/** The rows on the wanted side of the cursors. @param sides the columns of the order, and the same of a cursor. */
function beyond(
  page: PageRequest,
  sides: (key: PageKey) => readonly [RawBuilder<unknown>, RawBuilder<unknown>],
  isDescending = false,
): RawBuilder<boolean> {
  const condition = (key: PageKey | null, isAfter: boolean): RawBuilder<boolean>[] => {
    if (key === null) return [];
    const [columns, values] = sides(key);
    return [sql`${columns} ${sql.raw(isAfter !== isDescending ? '>' : '<')} ${values}`];
  };
  return sql.join([sql<boolean>`true`, ...condition(page.after, true), ...condition(page.before, false)], sql` and `);
}

/** @throws GraphQLError `BAD_USER_INPUT` where the cursor was made by somebody else. */
function numberOf({ sort }: PageKey): bigint {
  if (!/^\d{1,18}$/.test(sort)) throw badInput('This is not a cursor of this API.');
  return BigInt(sort);
}

function leasesQuery(
  organizationId: string,
  counterIds: readonly string[],
  page: PageRequest,
  includeDone: boolean,
): RawBuilder<StoredLease> {
  const direction = directionOf(page.fromEnd);
  const wanted = beyond(page, (key) => [sql`(node_id, epoch)`, sql`(${key.id}::uuid, ${numberOf(key)}::bigint)`]);
  return sql<StoredLease>`
    select lease.*, unit, ${seen}
    from unnest(${[...counterIds]}::uuid[]) as counter (of_counter)
      join budget_counters on budget_counters.id = of_counter and budget_counters.organization_id = ${organizationId}
      join budget_limits on budget_limits.id = limit_id
      cross join lateral (
        select counter_id, node_id, epoch, granted, returned, posted, held, lost, uncovered, state, cause, granted_at, closed_at
        from lease_states where counter_id = of_counter and (${includeDone} or state <> 'done') and ${wanted}
        order by node_id ${direction}, epoch ${direction} limit ${page.limit + 1}
      ) as lease
      left join lease_nodes on lease_nodes.id = node_id
    order by node_id ${direction}, lease.epoch ${direction}`;
}

function movementsQuery(organizationId: string, counterIds: readonly string[], page: PageRequest): RawBuilder<StoredMovement> {
  const direction = directionOf(!page.fromEnd);
  const wanted = beyond(page, (key) => [sql`version`, sql`${numberOf(key)}::bigint`], true);
  return sql<StoredMovement>`
    select movement.*, unit, ${seen}
    from unnest(${[...counterIds]}::uuid[]) as counter (of_counter)
      join budget_counters on budget_counters.id = of_counter and budget_counters.organization_id = ${organizationId}
      join budget_limits on budget_limits.id = limit_id
      cross join lateral (
        select counter_id, version, kind, node_id, epoch, amount, committed, cap, cause, recorded_at
        from lease_log where counter_id = of_counter and ${wanted}
        order by version ${direction} limit ${page.limit + 1}
      ) as movement
      left join lease_nodes on lease_nodes.id = node_id
    order by movement.version ${direction}`;
}

type StoredOpenHolds = SeenRow & {
  readonly counter_id: string;
  readonly unit: BudgetUnit;
  readonly told_at: Date;
  readonly is_unheard: boolean;
  readonly holds: number;
  readonly amount: bigint;
  readonly oldest: readonly { readonly request: string; readonly amount: string }[];
};

/** Ten beats ago. */
const isUnheard = sql`seen_at < lease_now() - interval '10 seconds' as is_unheard`;

/** The function itself shows the tenant's own alone. */
function openHoldsQuery(counterIds: readonly string[]): RawBuilder<StoredOpenHolds> {
  return sql<StoredOpenHolds>`
    select open.*, unit, ${seen}, ${isUnheard}
    from lease_open_holds(${[...counterIds]}::uuid[]) as open join budget_counters on budget_counters.id = counter_id
      join budget_limits on budget_limits.id = limit_id join lease_nodes on lease_nodes.id = node_id
    order by node_id`;
}

type StoredOldestHold = Pick<StoredOpenHolds, keyof SeenRow | 'counter_id' | 'unit' | 'told_at' | 'is_unheard' | 'amount'> & {
  readonly request: string;
};

function oldestHoldOf(row: StoredOldestHold): OldestHoldRow {
  return {
    counterId: row.counter_id,
    unit: row.unit,
    proxy: proxyOf(row.node_id, row),
    toldAt: row.told_at,
    silentSince: row.is_unheard ? row.seen_at : null,
    requestId: row.request,
    amount: row.amount,
  };
}

function openHoldsOf(row: StoredOpenHolds): OpenHoldsRow {
  const { unit, holds, amount, oldest } = row;
  return {
    counterId: row.counter_id,
    unit,
    proxy: proxyOf(row.node_id, row),
    toldAt: row.told_at,
    silentSince: row.is_unheard ? row.seen_at : null,
    holds,
    amount,
    oldest: oldest.map(({ request, amount: held }) => ({ requestId: request, amount: BigInt(held) })),
  };
}

function limitOf(row: StoredLimit): LimitRow {
  const { budget_id: id, unit, is_rate_limit: isRateLimit } = row;
  return { budgetId: isRateLimit ? null : id, rateLimitId: isRateLimit ? id : null, unit, window: windowOf(row) };
}

function sharedLimitOf({ rate_limit_id: rateLimitId, unit, period_ms: periodMs }: SharedLimitRow): LimitRow {
  const window = periodMs === null ? null : { kind: 'rolling' as const, seconds: periodMs / 1_000 };
  return { budgetId: null, rateLimitId, unit, window };
}

function pagesOf<Stored extends { readonly counter_id: string }, Row>(
  counterIds: readonly string[],
  page: PageRequest,
  rows: readonly Stored[],
  rowOf: (row: Stored) => Row,
): Page<Row>[] {
  const ofCounter = Map.groupBy(rows, ({ counter_id }) => counter_id);
  return counterIds.map((id) => pageOf(page, ofCounter.get(id) ?? [], rowOf));
}

function pageOf<Stored, Row>({ limit, fromEnd }: PageRequest, found: readonly Stored[], rowOf: (row: Stored) => Row): Page<Row> {
  const rows = found.slice(0, limit).map(rowOf);
  return { rows: fromEnd ? rows.reverse() : rows, more: found.length > limit };
}

function proxyOf(id: string, row: Omit<SeenRow, 'node_id'>): ProxyRow {
  return { id, epoch: row.node_epoch, seenAt: row.seen_at, lostAt: row.lost_at, isSilent: row.is_silent };
}

function leaseOf(row: StoredLease): LeaseRow {
  const { unit, epoch, granted, returned, posted, held, lost, uncovered, state, cause } = row;
  return {
    counterId: row.counter_id,
    unit,
    proxy: proxyOf(row.node_id, row),
    epoch,
    granted,
    returned,
    posted,
    left: held,
    lost,
    uncovered,
    state,
    cause,
    grantedAt: row.granted_at,
    closedAt: row.closed_at,
  };
}

function movementOf(row: StoredMovement): MovementRow {
  const { unit, version, kind, epoch, amount, committed, cap, cause } = row;
  return {
    counterId: row.counter_id,
    unit,
    version,
    kind,
    proxy: row.node_id === null ? null : proxyOf(row.node_id, row),
    epoch,
    amount,
    committed,
    cap,
    cause,
    recordedAt: row.recorded_at,
  };
}
