import { addToBucket } from './rolling.ts';
import { counterRow, move } from './rows.ts';
import type { LeaseDatabase } from './tables.ts';

/** One hold of one entry that was inserted now; node and epoch are the event's source. `cost` is the ledger's own rating. */
export interface PostedHold {
  readonly counter: string;
  readonly node: string;
  readonly epoch: number;
  readonly debit: bigint;
  readonly cost: bigint;
}

/**
 * Inside the posting transaction, over the holds of entries **inserted now**: the caller leaves duplicates out. Never refused, never clamped, on an
 * open, closed, lost or unknown lease alike, and `committed` does not move, except by what a rating below its debit credits (per hold, not netted).
 */
export function lease_post(database: LeaseDatabase, holds: readonly PostedHold[]): void {
  for (const { counter, node, epoch, debit, cost } of holds) {
    const excess = cost > debit ? cost - debit : 0n;
    const credit = debit > cost ? debit - cost : 0n;
    addPosted(database, counter, node, epoch, debit);
    addTotals(database, counter, cost, excess);
    addToBucket(database, counter, debit - credit, excess);
    if (credit > 0n && counterRow(database, counter) !== null) {
      move(database, counter, { kind: 'credit', node, epoch, amount: -credit, cause: 'rating' });
    }
  }
}

/**
 * A corrected rating, on the counter of the original hold: `delta` below 0 is cheaper (a credit: settled and committed fall), above 0 dearer
 * (settled and excess rise). `posted_at`: when the original entry was posted, by the database's clock; it matters to rolling windows only.
 */
export function lease_correct(database: LeaseDatabase, args: { counter: string; delta: bigint; posted_at?: number }): void {
  const { counter, delta } = args;
  addTotals(database, counter, delta, delta > 0n ? delta : 0n);
  if (delta < 0n && counterRow(database, counter) !== null) {
    move(database, counter, { kind: 'credit', node: null, epoch: null, amount: delta, cause: 'correction' });
  }
  // What is dearer is posted now, and must not leave a rolling window before its time.
  if (delta > 0n) addToBucket(database, counter, 0n, delta);
  else addToBucket(database, counter, delta, 0n, args.posted_at);
}

function addPosted(database: LeaseDatabase, counter: string, node: string, epoch: number, debit: bigint): void {
  const at = database.lease_postings.findIndex((row) => row.counter === counter && row.node === node && row.epoch === epoch);
  const old = database.lease_postings[at];
  if (old === undefined) database.lease_postings.push({ counter, node, epoch, posted: debit });
  else database.lease_postings[at] = { ...old, posted: old.posted + debit };
}

function addTotals(database: LeaseDatabase, counter: string, cost: bigint, excess: bigint): void {
  const at = database.counter_totals.findIndex((row) => row.counter === counter);
  const old = database.counter_totals[at];
  if (old === undefined) database.counter_totals.push({ counter, settled: cost, excess });
  else database.counter_totals[at] = { ...old, settled: old.settled + cost, excess: old.excess + excess };
}
