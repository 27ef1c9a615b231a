import type { CounterRow, LeaseDatabase, LeaseRow, PostingRow, TotalsRow } from './tables.ts';

/** leases.md §2, of one lease. */
export interface LeaseView {
  readonly room: bigint;
  readonly posted: bigint;
  readonly left: bigint;
  readonly lost: bigint;
  readonly uncovered: bigint;
}

/** leases.md §2, of one counter. `settled + held = committed + overrun`, always. */
export interface CounterView {
  readonly committed: bigint;
  /** Without what has left a rolling window. */
  readonly settled: bigint;
  readonly held: bigint;
  /** The part of held that nobody living can release. */
  readonly lost: bigint;
  readonly overrun: bigint;
  /** sum(room) - credits - aged, which is what committed has to be. */
  readonly expected: bigint;
}

const zero = 0n;

export function posted(database: LeaseDatabase, counter: string, node: string, epoch: number): bigint {
  for (const row of database.lease_postings) if (row.counter === counter && row.node === node && row.epoch === epoch) return row.posted;
  return zero;
}

function leaseView(database: LeaseDatabase, lease: LeaseRow, postings: readonly PostingRow[]): LeaseView {
  const room = lease.granted - lease.returned;
  const has = postings.find((row) => row.node === lease.node && row.epoch === lease.epoch)?.posted ?? zero;
  const left = room > has ? room - has : zero;
  const nodeLost = database.lease_nodes.some((row) => row.node === lease.node && row.lost_at !== null);
  const lost = nodeLost || left < lease.unproven ? left : lease.unproven;
  return { room, posted: has, left, lost, uncovered: has > room ? has - room : zero };
}

/** The rows that are about one counter. */
interface RowsOfCounter {
  readonly leases: LeaseRow[];
  readonly postings: PostingRow[];
  totals: TotalsRow | undefined;
}

function rowsOf(database: LeaseDatabase, counter: string): RowsOfCounter {
  return {
    leases: database.leases.filter((row) => row.counter === counter),
    postings: database.lease_postings.filter((row) => row.counter === counter),
    totals: database.counter_totals.find((row) => row.counter === counter),
  };
}

/** Of every counter, in the order of the table, with one look at each row. */
export function counterViews(database: LeaseDatabase): CounterView[] {
  const byCounter = new Map<string, RowsOfCounter>();
  for (const { counter } of database.budget_counters) byCounter.set(counter, { leases: [], postings: [], totals: undefined });
  for (const row of database.leases) byCounter.get(row.counter)?.leases.push(row);
  for (const row of database.lease_postings) byCounter.get(row.counter)?.postings.push(row);
  for (const row of database.counter_totals) {
    const rows = byCounter.get(row.counter);
    if (rows !== undefined) rows.totals = row;
  }
  return database.budget_counters.map((row) => viewOf(database, row, byCounter.get(row.counter) ?? rowsOf(database, row.counter)));
}

export function counterView(database: LeaseDatabase, counter: CounterRow): CounterView {
  return viewOf(database, counter, rowsOf(database, counter.counter));
}

/** Postings of a lease that has no row (the database forgot it) are uncovered in full. */
function viewOf(database: LeaseDatabase, counter: CounterRow, { leases, postings: posts, totals }: RowsOfCounter): CounterView {
  const settled = totals?.settled ?? zero;
  const excess = totals?.excess ?? zero;
  let rooms = zero;
  let held = zero;
  let lost = zero;
  let uncovered = zero;
  let postings = zero;
  for (const lease of leases) {
    const view = leaseView(database, lease, posts);
    rooms += view.room;
    held += view.left;
    lost += view.lost;
    uncovered += view.uncovered;
  }
  for (const row of posts) {
    postings += row.posted;
    if (!leases.some((lease) => lease.node === row.node && lease.epoch === row.epoch)) uncovered += row.posted;
  }
  const credits = postings + excess - settled;
  return {
    committed: counter.committed,
    settled: settled - counter.aged_debit - counter.aged_excess,
    held,
    lost,
    overrun: excess + uncovered - counter.aged_excess,
    expected: rooms - credits - counter.aged_debit,
  };
}
