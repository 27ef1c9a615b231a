import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { RegisterAnswer } from '../admission/leases/lease-boot.ts';
import type { AskAnswer, AskAnswerItem, AskItem, BeatAnswer, LeaseEffect, ReturnedItem } from '../admission/leases/lease-effects.ts';
import type { LeaseFinal } from '../admission/leases/lease-state.ts';
import type { OpenHolds } from './open-holds.ts';

/** Where a counter is among its limit's windows: what brings it back after a restore has forgotten it. */
export interface CounterPlace {
  readonly limit: string;
  readonly windowKey: string;
  readonly group: string;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
}

/** An answer to an ask, with what only people are told. */
export interface AskedItem extends AskAnswerItem {
  readonly place: CounterPlace | null;
  /** Of the limit, in its unit; null where the database grants nothing to anybody now. */
  readonly amount: bigint | null;
  /** What could still be granted to somebody. */
  readonly rest: bigint | null;
}

export type AskedAnswer = Omit<AskAnswer, 'items'> & { readonly items: readonly AskedItem[] };

type ReturnAnswer = {
  readonly generation: number;
  readonly reconciling: boolean;
  readonly items: readonly { readonly counter: string; readonly outcome: 'returned' | 'gone' | 'forgotten'; readonly returned: bigint }[];
};

type ReportAnswer = { readonly status: 'staged' | 'resumed' | 'settled' | 'stale' | 'superseded'; readonly generation: number };

type EffectOf<Kind extends LeaseEffect['kind']> = Extract<LeaseEffect, { readonly kind: Kind }>;

/** The database half of the lease protocol: one function of migrations/0013_leases.sql a call, in the name of one node. */
export interface LeaseDatabase {
  ask(effect: EffectOf<'ask'>): Promise<AskedAnswer>;
  giveBack(effect: EffectOf<'return'>): Promise<ReturnAnswer>;
  beat(effect: EffectOf<'beat'>): Promise<BeatAnswer>;
  register(effect: EffectOf<'register'>): Promise<RegisterAnswer>;
  /** Says final sums of leases that are over. @returns counters that are closed now, or were before. */
  close(epoch: number, finals: readonly LeaseFinal[]): Promise<readonly string[]>;
  /** Tells what is held for requests in flight, for people to look at. */
  tellOpen(epoch: number, open: OpenHolds): Promise<void>;
  report(effect: EffectOf<'report'>, places: ReadonlyMap<string, CounterPlace>): Promise<ReportAnswer>;
}

/**
 * @param db connections in role `writer`, whose statements time out.
 * @param node uuid of the proxy.
 */
export function createLeaseDatabase(db: Kysely<Database>, node: string, incarnation: string): LeaseDatabase {
  let since: Date | null = null;
  return {
    ask: async ({ epoch, generation, items, live, all }) => {
      const { rows } = await sql<AskRow>`
        select * from lease_ask(${node}, ${epoch}, ${generation}, ${items.map(({ limit }) => limit)}::uuid[],
          ${items.map(({ group }) => group)}::text[], ${items.map(({ counter }) => counter)}::uuid[], ${items.map(({ next }) => next)}::boolean[],
          ${items.map(({ known }) => known)}::numeric[], ${items.map(({ need }) => need)}::numeric[],
          ${items.map(({ want }) => want)}::numeric[], ${live}, ${all}) order by item`.execute(db);
      const [first] = rows;
      if (first === undefined || rows.length !== items.length) throw new Error('lease_ask did not answer each item');
      return {
        status: first.status,
        generation: Number(first.generation),
        items: rows.map((row, index) => askedItem(row, items[index])),
      };
    },
    giveBack: async ({ epoch, items }) => {
      const { rows } = await sql<ReturnRow>`
        select * from lease_return(${node}, ${epoch}, ${countersOf(items)}::uuid[], ${sumsOf(items)}::numeric[]) order by item`.execute(db);
      const [first] = rows;
      return {
        generation: Number(first?.generation ?? 0),
        reconciling: first?.status === 'reconciling',
        items: rows.flatMap(({ counter_id, outcome, returned }) =>
          counter_id === null || outcome === null ? [] : [{ counter: counter_id, outcome, returned: returned ?? 0n }],
        ),
      };
    },
    beat: async ({ epoch, generation, beat, nonce, returned }) => {
      const { rows } = await sql<BeatRow>`
        select * from lease_beat(${node}, ${epoch}, ${incarnation}, ${generation}, ${beat}, ${nonce}, ${countersOf(returned)}::uuid[],
          ${sumsOf(returned)}::numeric[], ${since})`.execute(db);
      const [first] = rows;
      if (first === undefined) throw new Error('lease_beat did not answer');
      if (first.status === 'taken' && !first.reconciling) since = first.as_of;
      return {
        status: first.status,
        nonce,
        beat: Number(first.beat),
        generation: Number(first.generation),
        reconciling: first.reconciling,
        live: first.live,
        leases: rows.flatMap(toldLease),
      };
    },
    register: async ({ epoch, finals, torn, moved }) => {
      const { rows } = await sql<RegisterRow>`
        select * from lease_register(${node}, ${epoch}, ${incarnation}, ${toldFinals(finals)}::jsonb, ${[...torn]}::bigint[], ${moved})`.execute(
        db,
      );
      const [answer] = rows;
      if (answer === undefined) throw new Error('lease_register did not answer');
      // What a beat told before was told to another epoch.
      since = null;
      const { status, generation, reconciling, wait_ms } = answer;
      return { status, generation: Number(generation), reconciling, waitMs: Number(wait_ms) };
    },
    close: async (epoch, finals) => {
      const { rows } = await sql<{ readonly counter_id: string | null; readonly outcome: string | null }>`
        select * from lease_close(${node}, ${epoch}, ${finals.map(({ counter }) => counter)}::uuid[],
          ${finals.map(({ final }) => final)}::numeric[]) order by item`.execute(db);
      return rows.flatMap(({ counter_id, outcome }) =>
        counter_id !== null && (outcome === 'closed' || outcome === 'gone') ? [counter_id] : [],
      );
    },
    tellOpen: async (epoch, { counters, oldest }) => {
      const text = <Row extends { readonly amount: bigint }>(rows: readonly Row[]): string =>
        JSON.stringify(rows.map(({ amount, ...row }) => ({ ...row, amount: amount.toString() })));
      await sql`select lease_tell_open(${node}, ${epoch}, ${incarnation}, ${text(counters)}::jsonb, ${text(oldest)}::jsonb)`.execute(db);
    },
    report: async ({ epoch, generation, beat, leases, torn }, places) => {
      const reported = leases.map(({ counter, epoch: of, granted, returned, final }) => ({
        ...placeText(places.get(counter)),
        counter,
        epoch: of,
        granted: granted.toString(),
        returned: returned.toString(),
        final: final?.toString() ?? null,
      }));
      const { rows } = await sql<{ readonly status: ReportAnswer['status']; readonly generation: bigint }>`
        select * from lease_report(${node}, ${epoch}, ${incarnation}, ${generation}, ${beat}, ${JSON.stringify(reported)}::jsonb,
          ${[...torn]}::bigint[])`.execute(db);
      const [answer] = rows;
      if (answer === undefined) throw new Error('lease_report did not answer');
      return { status: answer.status, generation: Number(answer.generation) };
    },
  };
}

type AskRow = {
  readonly status: AskAnswer['status'];
  readonly generation: bigint;
  readonly outcome: AskAnswerItem['outcome'];
  readonly counter_id: string | null;
  readonly window_key: string | null;
  readonly starts_at: Date | null;
  readonly ends_at: Date | null;
  readonly granted: bigint | null;
  readonly amount: bigint | null;
  readonly limit_version: number | null;
  readonly rest: bigint | null;
  readonly unsettled: bigint | null;
  readonly stuck: bigint | null;
  readonly ends_in_ms: bigint | null;
  readonly opens_in_ms: bigint | null;
};

function askedItem(row: AskRow, asked: AskItem | undefined): AskedItem {
  if (asked === undefined) throw new Error('lease_ask answered what was not asked');
  const { limit, group } = asked;
  const { outcome, counter_id: counter, window_key: windowKey } = row;
  return {
    limit,
    group,
    counter,
    outcome,
    granted: row.granted ?? 0n,
    version: row.limit_version ?? 0,
    unsettled: row.unsettled ?? 0n,
    stuck: row.stuck ?? 0n,
    endsInMs: row.ends_in_ms === null ? null : Number(row.ends_in_ms),
    opensInMs: Number(row.opens_in_ms ?? 0n),
    place: windowKey === null ? null : { limit, windowKey, group, startsAt: row.starts_at, endsAt: row.ends_at },
    amount: row.amount,
    rest: row.rest,
  };
}

type ReturnRow = {
  readonly status: 'answered' | 'reconciling';
  readonly generation: bigint;
  readonly counter_id: string | null;
  readonly outcome: 'returned' | 'gone' | 'forgotten' | null;
  readonly returned: bigint | null;
};

type RegisterRow = {
  readonly status: RegisterAnswer['status'];
  readonly generation: bigint;
  readonly reconciling: boolean;
  readonly wait_ms: bigint;
};

type BeatRow = {
  readonly status: BeatAnswer['status'];
  readonly beat: bigint;
  readonly generation: bigint;
  readonly reconciling: boolean;
  readonly live: number;
  readonly as_of: Date;
  readonly counter_id: string | null;
  readonly limit_id: string | null;
  readonly group_key: string | null;
  readonly granted: bigint | null;
  readonly gone: boolean | null;
  readonly wanted: boolean | null;
  readonly limit_version: number | null;
};

function toldLease(row: BeatRow): BeatAnswer['leases'][number][] {
  const { counter_id: counter, limit_id: limit, group_key: group, granted, gone, wanted, limit_version: version } = row;
  if (counter === null || limit === null || group === null || version === null) return [];
  return [{ counter, limit, group, granted: granted ?? 0n, gone: gone === true, wanted: wanted === true, version }];
}

function countersOf(items: readonly ReturnedItem[]): string[] {
  return items.map(({ counter }) => counter);
}

function sumsOf(items: readonly ReturnedItem[]): bigint[] {
  return items.map(({ returned }) => returned);
}

function toldFinals(finals: readonly LeaseFinal[]): string {
  return JSON.stringify(finals.map(({ counter, epoch, final }) => ({ counter, epoch, final: final.toString() })));
}

function placeText(place: CounterPlace | undefined): object {
  if (place === undefined) return {};
  const { limit, windowKey, group, startsAt, endsAt } = place;
  return { limit, window_key: windowKey, group, starts_at: startsAt, ends_at: endsAt };
}
