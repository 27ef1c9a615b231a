import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { badInput } from '../../../schema/graphql/bad-input.ts';
import type {
  BudgetSimulationReads,
  SimulatedDefinition,
  SimulatedGroupRow,
  SimulatedLimitRow,
} from '../../../schema/graphql/ports/budget-simulation.ts';
import type { Database } from '../../../schema/tables/database.ts';
import type { BudgetCondition, BudgetDimension, BudgetWindow } from '../../../schema/values/budget.ts';
import type { IdKind } from '../../../schema/values/ids.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { checkBudget } from '../../registry/budget-definition.ts';
import type { PastRequest, SimulatedGroup, SimulatedLimit, SimulatedWindow, WindowSpan } from '../../registry/catalog/simulate-budget.ts';
import { createBudgetSimulation } from '../../registry/catalog/simulate-budget.ts';
import { RegistryError } from '../../registry/change.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TenantRead } from './tenant-read.ts';

/** Requests of one page: some ten milliseconds of this thread. */
const PAGE_ROWS = 1_000;
const MOST_ROWS = 100_000;
const LONGEST_MS = 8_000;
/** Windows of a limit that are shown. */
const MOST_WINDOWS = 100;

/** Simulates budgets on one organization's ledger, some rows at a time. */
export function createBudgetSimulationReads(read: TenantRead, organizationId: string, clock: Clock): BudgetSimulationReads {
  return {
    simulate: async ({ definition, from, to, topN }) => {
      const endMs = clock.now() + LONGEST_MS;
      const { countedFrom, windows } = await read(async (trx) => {
        await check(trx, organizationId, definition);
        const beginnings = await Promise.all(definition.limits.map(({ window }) => beginningOf(trx, window, from)));
        const countedFrom = new Date(Math.min(from.getTime(), ...beginnings));
        return {
          countedFrom,
          windows: await Promise.all(definition.limits.map(({ window }) => windowsOf(trx, window, { countedFrom, from, to }))),
        };
      });
      const simulation = createBudgetSimulation(
        {
          ...definition,
          limits: definition.limits.map((limit, index) => ({ ...limit, windowAt: windows[index] ?? (() => unbounded) })),
        },
        { reportFromMs: from.getTime() },
      );
      let refusedThen = 0;
      let seen = 0;
      let after: { readonly at: Date; readonly id: string } | null = null;
      let seenTo = to;
      for (;;) {
        const rows: readonly Row[] = await read((trx) => rowsAfter(trx, { organizationId, definition, from: countedFrom, to, after }));
        const stopped = rows.findIndex((row) => {
          if (row.outcome === 'rejected' || row.outcome === 'blocked') {
            if (row.occurred_at >= from) refusedThen += 1;
            return false;
          }
          return !simulation.add(requestOf(row));
        });
        seen += rows.length;
        const last = rows.at(-1);
        if (stopped >= 0) seenTo = rows[stopped]?.occurred_at ?? to;
        if (stopped >= 0 || last === undefined || rows.length < PAGE_ROWS) break;
        after = { at: last.occurred_at, id: last.entry_id };
        if (seen >= MOST_ROWS || clock.now() >= endMs) {
          seenTo = last.occurred_at;
          break;
        }
      }
      const { totals, refusedUnpriced, unknown, limits, groups } = simulation.result(topN);
      return {
        totals: groupRow(totals),
        refusedUnpriced,
        unknown,
        refusedThen,
        limits: limits.flatMap((limit, index) => limitRow(limit, definition.limits[index])),
        groups: groups.map(groupRow),
        countedFrom,
        seenTo,
        truncated: seenTo < to,
      };
    },
  };
}

const unbounded: WindowSpan = { startsAtMs: null, endsAtMs: null };

async function check(trx: Transaction<Database>, organizationId: string, definition: SimulatedDefinition): Promise<void> {
  try {
    await checkBudget({ trx, organizationId }, { ...definition, thresholds: [], enforcement: 'enforce', downgradeTo: null });
  } catch (error) {
    if (error instanceof RegistryError) throw badInput(error.message);
    throw error;
  }
}

type WindowAt = (atMs: number) => WindowSpan | null;

/** When the window begins that a moment is in. Only the database computes windows. */
async function beginningOf(trx: Kysely<Database>, window: BudgetWindow, at: Date): Promise<number> {
  if (window.kind === 'lifetime') return at.getTime();
  // A sixtieth more: use leaves in sixtieths.
  if (window.kind === 'rolling') return at.getTime() - (window.seconds * 1_000 * 61) / 60;
  const { rows } = await sql<{ readonly starts_at: Date }>`
    select starts_at from budget_window(${window.kind}, ${window.zone}, ${window.anchor}::timestamp, ${at}::timestamptz)`.execute(trx);
  return rows[0]?.starts_at.getTime() ?? at.getTime();
}

/** Windows of a minute or an hour are of one length, so the first of them tells the others. */
async function windowsOf(
  trx: Kysely<Database>,
  window: BudgetWindow,
  { countedFrom, from, to }: { readonly countedFrom: Date; readonly from: Date; readonly to: Date },
): Promise<WindowAt> {
  if (window.kind === 'lifetime') return (atMs) => (atMs < from.getTime() ? null : unbounded);
  if (window.kind === 'rolling') return () => unbounded;
  const { kind, zone, anchor } = window;
  const isEven = kind === 'minute' || kind === 'hour';
  const { rows } = await sql<{ readonly starts_at: Date; readonly ends_at: Date }>`
    with recursive walk as (
      select starts_at, ends_at from budget_window(${kind}, ${zone}, ${anchor}::timestamp, ${countedFrom}::timestamptz)
      union all
      select next.starts_at, next.ends_at from walk cross join lateral budget_window(${kind}, ${zone}, ${anchor}::timestamp, walk.ends_at) as next
        where walk.ends_at < ${to}::timestamptz and not ${isEven}
    ) select starts_at, ends_at from walk order by starts_at`.execute(trx);
  const spans = rows.map(({ starts_at, ends_at }) => ({ startsAtMs: starts_at.getTime(), endsAtMs: ends_at.getTime() }));
  const [first] = spans;
  if (first === undefined) throw new Error('budget_window did not answer');
  if (isEven) {
    const lengthMs = first.endsAtMs - first.startsAtMs;
    return (atMs) => {
      const startsAtMs = first.startsAtMs + Math.floor((atMs - first.startsAtMs) / lengthMs) * lengthMs;
      return { startsAtMs, endsAtMs: startsAtMs + lengthMs };
    };
  }
  let place = 0;
  // Moments come in order, so the place moves on only.
  return (atMs) => {
    while (place + 1 < spans.length && atMs >= (spans[place]?.endsAtMs ?? Number.POSITIVE_INFINITY)) place += 1;
    return spans[place] ?? unbounded;
  };
}

interface Row {
  readonly entry_id: string;
  readonly occurred_at: Date;
  readonly api_key_id: string;
  readonly team_id: string | null;
  readonly user_id: string | null;
  readonly service_account_id: string | null;
  readonly route_id: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly outcome: string;
  readonly cost: bigint | null;
  readonly unrated: string | null;
  readonly tokens_in: bigint | null;
  readonly tokens_out: bigint | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly end_user: string | null;
}

const columns: Readonly<Partial<Record<BudgetDimension, readonly [string, IdKind]>>> = {
  team: ['team_id', 'team'],
  user: ['user_id', 'user'],
  service_account: ['service_account_id', 'serviceAccount'],
  api_key: ['api_key_id', 'apiKey'],
  route: ['route_id', 'route'],
};

/** Of what a selector names by an id, no row that it does not pick is read. */
function narrowed(selector: readonly BudgetCondition[]) {
  return sql.join(
    [
      sql<boolean>`true`,
      ...selector.flatMap((condition) => {
        const column = columns[condition.dimension];
        if (column === undefined)
          return condition.dimension === 'provider' ? [sql<boolean>`provider = any (${[...condition.in]}::text[])`] : [];
        const ids = condition.in.flatMap((id) => uuidFromId(column[1], id) ?? []);
        return [sql<boolean>`${sql.ref(column[0])} = any (${ids}::uuid[])`];
      }),
    ],
    sql` and `,
  );
}

async function rowsAfter(
  trx: Kysely<Database>,
  question: {
    readonly organizationId: string;
    readonly definition: SimulatedDefinition;
    readonly from: Date;
    readonly to: Date;
    readonly after: { readonly at: Date; readonly id: string } | null;
  },
): Promise<readonly Row[]> {
  const { organizationId, definition, from, to, after } = question;
  const { selector, groupBy } = definition;
  const endUser = [...selector, ...groupBy].some(({ dimension }) => dimension === 'end_user')
    ? sql`(select end_user from request_subject where request_subject.request_id = ledger_entries.request_id)`
    : sql`null::text`;
  const beyond = after === null ? sql`true` : sql`(occurred_at, entry_id) > (${after.at}::timestamptz, ${after.id}::uuid)`;
  const { rows } = await sql<Row>`
    select entry_id, occurred_at, api_key_id, team_id, user_id, service_account_id, route_id, provider, model, outcome, cost, unrated, tags,
      case when num_nonnulls(tokens_input, tokens_cache_read, tokens_cache_write_5m, tokens_cache_write_1h, tokens_input_audio, tokens_input_image) > 0
        then coalesce(tokens_input, 0) + coalesce(tokens_cache_read, 0) + coalesce(tokens_cache_write_5m, 0) + coalesce(tokens_cache_write_1h, 0)
          + coalesce(tokens_input_audio, 0) + coalesce(tokens_input_image, 0) end as tokens_in,
      case when num_nonnulls(tokens_output, tokens_reasoning, tokens_output_audio, tokens_output_image) > 0
        then coalesce(tokens_output, 0) + coalesce(tokens_reasoning, 0) + coalesce(tokens_output_audio, 0) + coalesce(tokens_output_image, 0)
        end as tokens_out,
      ${endUser} as end_user
    from ledger_entries
    where organization_id = ${organizationId} and kind = 'usage' and occurred_at >= ${after?.at ?? from}::timestamptz and occurred_at < ${to}::timestamptz
      and ${beyond} and ${narrowed(selector)}
    order by occurred_at, entry_id limit ${PAGE_ROWS}`.execute(trx);
  return rows;
}

function requestOf(row: Row): PastRequest {
  const id = (kind: IdKind, uuid: string | null): string | null => (uuid === null ? null : idFromUuid(kind, uuid));
  const { provider, model, tags, cost, tokens_in: input, tokens_out: output } = row;
  return {
    atMs: row.occurred_at.getTime(),
    subject: {
      teamId: id('team', row.team_id),
      userId: id('user', row.user_id),
      serviceAccountId: id('serviceAccount', row.service_account_id),
      apiKeyId: idFromUuid('apiKey', row.api_key_id),
      endUser: row.end_user,
      // Nothing of a simulation is kept: its groups need nothing that stands for a name.
      aliasOf: (name) => name,
      model,
      provider,
      routeId: id('route', row.route_id),
      tags,
    },
    isCall: row.outcome !== 'cached',
    tokens: input === null || output === null ? null : { input, output },
    cost,
    isUnpriced: row.unrated === 'no_price',
  };
}

function limitRow(seen: SimulatedLimit, limit: SimulatedLimitRow['limit'] | undefined): SimulatedLimitRow[] {
  if (limit === undefined) return [];
  const shown = [...seen.windows].sort(byRefusals).slice(0, MOST_WINDOWS).sort(byTime);
  return [
    {
      limit,
      refused: seen.refused,
      firstRefusedAt: dateOf(seen.firstRefusedAtMs),
      peak: seen.peak,
      windows: shown.map(({ startsAtMs, endsAtMs, used, peak, refused }) => ({
        startsAt: dateOf(startsAtMs),
        endsAt: dateOf(endsAtMs),
        used,
        peak,
        refused,
      })),
      windowsLeftOut: seen.windows.length - shown.length,
    },
  ];
}

function groupRow({ values, requests, refused, cost, refusedCost, firstRefusedAtMs }: SimulatedGroup): SimulatedGroupRow {
  return { values, requests, refused, costPicoUsd: cost, refusedCostPicoUsd: refusedCost, firstRefusedAt: dateOf(firstRefusedAtMs) };
}

function byRefusals(one: SimulatedWindow, other: SimulatedWindow): number {
  return other.refused - one.refused || (other.used > one.used ? 1 : other.used < one.used ? -1 : 0);
}

function byTime(one: SimulatedWindow, other: SimulatedWindow): number {
  return (one.startsAtMs ?? 0) - (other.startsAtMs ?? 0);
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
