import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { CounterStateView } from '../../../schema/tables/counter-state.view.ts';
import type { Database } from '../../../schema/tables/database.ts';
import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { LeaseFinding } from '../../../services/journal/check-leases.ts';
import { checkLeases } from '../../../services/journal/check-leases.ts';
import type { TestDatabase } from '../../harness/postgres.ts';

/** Ids of a test, by a small number: nodes, limits, the organization. */
export const testId = (kind: 'organization' | 'node' | 'limit' | 'budget', number: number): string =>
  `00000000-0000-7000-8000-${{ organization: 'a', node: 'b', limit: 'c', budget: 'd' }[kind]}${number.toString(16).padStart(11, '0')}`;

export const organizationId = testId('organization', 1);

export type AskedItem = {
  readonly limit: string;
  readonly group?: string;
  readonly counter?: string | null;
  readonly next?: boolean;
  readonly known?: bigint;
  readonly need: bigint;
  readonly want?: bigint;
};

export type AskAnswerRow = {
  readonly status: 'answered' | 'fenced' | 'reconciling';
  readonly generation: bigint;
  readonly outcome: 'granted' | 'held' | 'short' | 'withheld' | 'gone';
  readonly counter_id: string | null;
  readonly window_key: string | null;
  readonly starts_at: Date | null;
  readonly ends_at: Date | null;
  readonly granted: bigint;
  readonly amount: bigint | null;
  readonly rest: bigint | null;
  readonly unsettled: bigint | null;
  readonly stuck: bigint | null;
  readonly ends_in_ms: bigint | null;
  readonly opens_in_ms: bigint | null;
};

export type PostedHold = {
  readonly counter: string;
  readonly node: string;
  readonly epoch: number;
  readonly debit: bigint;
  readonly cost: bigint;
};

/** What a node tells of a lease; `place` is what brings a counter back that the database has forgotten. */
export type ToldLease = {
  readonly counter: string;
  readonly epoch: number;
  readonly granted?: bigint;
  readonly returned?: bigint;
  readonly final?: bigint | null;
  readonly place?: Readonly<Record<string, unknown>>;
};

const told = (leases: readonly ToldLease[]): string =>
  JSON.stringify(
    leases.map(({ place, counter, epoch, granted, returned, final }) => ({
      ...place,
      counter,
      epoch,
      granted: String(granted ?? 0n),
      returned: String(returned ?? 0n),
      final: final === undefined || final === null ? null : String(final),
    })),
  );

/** The functions of migrations/0013_leases.sql, one call each, with their answers as they come. `organization`: whose counters are posted on. */
export function leaseFunctions(db: Kysely<Database>, organization = organizationId) {
  const all = async <Row>(query: ReturnType<typeof sql<Row>>): Promise<readonly Row[]> => (await query.execute(db)).rows;
  const one = async <Row>(query: ReturnType<typeof sql<Row>>): Promise<Row> => {
    const [row, ...others] = await all(query);
    if (row === undefined || others.length > 0) throw new Error('not one row');
    return row;
  };
  return {
    ask: async (
      node: string,
      epoch: number,
      items: readonly AskedItem[],
      { generation = 1, live = 1, all: allOrNone = false }: { generation?: number; live?: number; all?: boolean } = {},
    ) =>
      all(sql<AskAnswerRow>`select * from lease_ask(${node}, ${epoch}, ${generation}, ${items.map(({ limit }) => limit)}::uuid[],
        ${items.map(({ group }) => group ?? '')}::text[], ${items.map(({ counter }) => counter ?? null)}::uuid[],
        ${items.map(({ next }) => next ?? false)}::boolean[], ${items.map(({ known }) => known ?? 0n)}::numeric[],
        ${items.map(({ need }) => need)}::numeric[], ${items.map(({ need, want }) => want ?? need)}::numeric[], ${live}, ${allOrNone}) order by item`),
    giveBack: async (node: string, epoch: number, items: readonly { readonly counter: string; readonly returned: bigint }[]) =>
      all(sql<{ status: string; outcome: 'returned' | 'gone' | 'forgotten' | null; granted: bigint | null; returned: bigint | null }>`
        select * from lease_return(${node}, ${epoch}, ${items.map(({ counter }) => counter)}::uuid[],
          ${items.map(({ returned }) => returned)}::numeric[]) order by item`),
    close: async (node: string, epoch: number, items: readonly { readonly counter: string; readonly final: bigint }[]) =>
      all(sql<{ status: string; generation: bigint; outcome: 'closed' | 'gone' | 'open' | 'forgotten' | null }>`
        select * from lease_close(${node}, ${epoch}, ${items.map(({ counter }) => counter)}::uuid[],
          ${items.map(({ final }) => final)}::numeric[]) order by item`),
    beat: async (
      node: string,
      epoch: number,
      incarnation: string,
      beat: number,
      nonce: string,
      items: readonly { readonly counter: string; readonly returned: bigint }[] = [],
      { generation = 1, since = null }: { generation?: number; since?: Date | null } = {},
    ) =>
      all(sql<{
        status: 'taken' | 'copied' | 'forgotten';
        beat: bigint;
        generation: bigint;
        reconciling: boolean;
        live: number;
        as_of: Date;
        counter_id: string | null;
        limit_id: string | null;
        group_key: string | null;
        granted: bigint | null;
        gone: boolean | null;
        wanted: boolean | null;
        amount: bigint | null;
        limit_version: number | null;
      }>`select * from lease_beat(${node}, ${epoch}, ${incarnation}, ${generation}, ${beat}, ${nonce}, ${items.map(({ counter }) => counter)}::uuid[],
        ${items.map(({ returned }) => returned)}::numeric[], ${since})`),
    register: async (
      node: string,
      epoch: number,
      incarnation: string,
      finals: readonly ToldLease[] = [],
      { torn = [], moved = false }: { torn?: readonly number[]; moved?: boolean } = {},
    ) =>
      one(sql<{ status: 'registered' | 'wait' | 'superseded'; generation: bigint; reconciling: boolean; wait_ms: bigint }>`
        select * from lease_register(${node}, ${epoch}, ${incarnation}, ${told(finals)}::jsonb, ${[...torn]}::bigint[], ${moved})`),
    report: async (
      node: string,
      epoch: number,
      incarnation: string,
      generation: number,
      nextBeat: number,
      leases: readonly ToldLease[],
      torn: readonly number[] = [],
    ) =>
      one(sql<{ status: 'staged' | 'resumed' | 'settled' | 'stale' | 'superseded'; generation: bigint }>`
        select * from lease_report(${node}, ${epoch}, ${incarnation}, ${generation}, ${nextBeat}, ${told(leases)}::jsonb, ${[...torn]}::bigint[])`),
    post: async (holds: readonly PostedHold[]) => {
      await sql`select lease_post(${holds.map(() => organization)}::uuid[], ${holds.map(({ counter }) => counter)}::uuid[],
        ${holds.map(({ node }) => node)}::uuid[], ${holds.map(({ epoch }) => epoch)}::bigint[], ${holds.map(({ debit }) => debit)}::numeric[],
        ${holds.map(({ cost }) => cost)}::numeric[])`.execute(db);
    },
    correct: async (counter: string, change: bigint, postedAt: Date) => {
      await sql`select lease_correct(${organization}, ${counter}, ${change}, ${postedAt})`.execute(db);
    },
    declareLost: async (node: string) =>
      (await one(sql<{ status: 'lost' | 'unknown' }>`select lease_declare_lost(${node}) as status`)).status,
    release: async (node: string, counter: string, epoch: number, spent: bigint, reason = 'disk gone') =>
      one(sql<{ status: 'released' | 'unknown' | 'living' | 'reconciling'; freed: bigint }>`
        select * from lease_release(${node}, ${counter}, ${epoch}, ${spent}, ${reason})`),
    reset: async (limit: string) => {
      await sql`select lease_reset(${[limit]}::uuid[])`.execute(db);
    },
  };
}

export type LeaseFunctions = ReturnType<typeof leaseFunctions>;

export type LimitSpecification = {
  readonly number: number;
  readonly amount: bigint;
  readonly unit?: RateLimitUnit;
  readonly kind?: Database['budget_limits']['window_kind'];
  readonly zone?: string;
  readonly anchor?: string;
  readonly windowSeconds?: number;
};

/** @returns the limit's id. */
export async function insertLimit(db: Kysely<Database>, specification: LimitSpecification): Promise<string> {
  const { number, amount, unit = 'usd', kind = 'lifetime', zone, anchor, windowSeconds } = specification;
  const id = testId('limit', number);
  await db
    .insertInto('budget_limits')
    .values({
      id,
      organization_id: organizationId,
      budget_id: testId('budget', 1),
      unit,
      amount,
      window_kind: kind,
      window_seconds: windowSeconds === undefined ? null : BigInt(windowSeconds),
      sealed_at: null,
      ...(zone === undefined ? {} : { window_zone: zone }),
      ...(anchor === undefined ? {} : { window_anchor: anchor }),
    })
    .execute();
  return id;
}

/** As an administrator's change of the budget does it. */
export async function changeAmount(db: Kysely<Database>, limit: string, amount: bigint): Promise<void> {
  await sql`update budget_limits set amount = ${amount}, version = version + 1, updated_at = lease_now() where id = ${limit}`.execute(db);
}

/** In place of a raise that may run; null ends it. */
export async function raiseLimit(
  db: Kysely<Database>,
  limit: string,
  raise: { readonly by: bigint; readonly until: Date } | null,
): Promise<void> {
  await sql`update budget_limits set raised = ${raise?.by ?? 0n}, raised_until = ${raise?.until ?? null}, version = version + 2, updated_at = lease_now()
    where id = ${limit}`.execute(db);
}

export async function insertOrganization(db: Kysely<Database>): Promise<void> {
  await sql`insert into organizations (id, slug, name, created_at, updated_at) values (${organizationId}, 'tests', 'Tests', now(), now())`.execute(
    db,
  );
}

/** From now on the test says what time it is in the database, on all of its connections. */
export async function stopClock(database: TestDatabase, at: Date): Promise<void> {
  await database.owner.execute(`
    create table test_clock (at timestamptz not null);
    insert into test_clock values ('${at.toISOString()}');
    grant select on test_clock to turnpike_reader;
    grant select, update on test_clock to turnpike_writer;
    create or replace function lease_now() returns timestamptz language sql volatile return (select at from test_clock)`);
}

export async function setTestClock(database: TestDatabase, at: Date): Promise<void> {
  await sql`update test_clock set at = ${at}`.execute(database.writer.db);
}

type CounterState = { readonly [Column in keyof CounterStateView]: CounterStateView[Column]['__select__'] };

export async function counterState(db: Kysely<Database>, counter: string): Promise<CounterState> {
  return db.selectFrom('counter_states').selectAll().where('id', '=', counter).executeTakeFirstOrThrow();
}

/** leases.md section 2 and the log, of every counter: what is wrong, empty where nothing is. */
export function brokenBooks(db: Kysely<Database>): Promise<readonly LeaseFinding[]> {
  return checkLeases(db, { withLog: true });
}
