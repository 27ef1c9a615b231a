import type { CounterRow, LeaseDatabase, LeaseRow } from './tables.ts';

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

function leaseView(database: LeaseDatabase, lease: LeaseRow): LeaseView {
  const room = lease.granted - lease.returned;
  const has = posted(database, lease.counter, lease.node, lease.epoch);
  const left = room > has ? room - has : zero;
  const nodeLost = database.lease_nodes.some((row) => row.node === lease.node && row.lost_at !== null);
  const lost = nodeLost || left < lease.unproven ? left : lease.unproven;
  return { room, posted: has, left, lost, uncovered: has > room ? has - room : zero };
}

/** Postings of a lease that has no row (the database forgot it) are uncovered in full. */
export function counterView(database: LeaseDatabase, counter: CounterRow): CounterView {
  const totals = database.counter_totals.find((row) => row.counter === counter.counter);
  const settled = totals?.settled ?? zero;
  const excess = totals?.excess ?? zero;
  let rooms = zero;
  let held = zero;
  let lost = zero;
  let uncovered = zero;
  let postings = zero;
  for (const lease of database.leases) {
    if (lease.counter !== counter.counter) continue;
    const view = leaseView(database, lease);
    rooms += view.room;
    held += view.left;
    lost += view.lost;
    uncovered += view.uncovered;
  }
  for (const row of database.lease_postings) {
    if (row.counter !== counter.counter) continue;
    postings += row.posted;
    if (!database.leases.some((lease) => lease.counter === row.counter && lease.node === row.node && lease.epoch === row.epoch))
      uncovered += row.posted;
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
