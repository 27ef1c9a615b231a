import { counterRow, limitRow, move, putCounter } from './rows.ts';
import type { LeaseDatabase } from './tables.ts';

/** A rolling window is taken off in sixtieths. */
const bucketsPerWindow = 60;

/** Length of a rolling limit's window in ms, null for another kind. */
function rollingLength(database: LeaseDatabase, counter: string): number | null {
  const row = counterRow(database, counter);
  const limit = row === null ? null : limitRow(database, row.limit);
  return limit !== null && limit.window.kind === 'rolling' ? limit.window.length_ms : null;
}

/**
 * Adds to the bucket of the moment of posting, by the database's clock alone, whatever a proxy's clock said when the lease was taken (trace 16).
 *
 * With `posted_at` (a correction) it is added to the bucket of the original posting. If that one has left the window already, its amounts go
 * where it went, so that a credit does not make room that has long been given back.
 */
export function addToBucket(
  database: LeaseDatabase,
  counter: string,
  debit: bigint,
  excess: bigint,
  postedAt: number = database.now,
): void {
  const length = rollingLength(database, counter);
  if (length === null) return;
  const size = length / bucketsPerWindow;
  const began_at = Math.floor(postedAt / size) * size;
  const row = counterRow(database, counter);
  if (row !== null && began_at < row.aged_until) {
    putCounter(database, { ...row, aged_debit: row.aged_debit + debit, aged_excess: row.aged_excess + excess });
    if (debit !== 0n) move(database, counter, { kind: 'age', node: null, epoch: null, amount: -debit });
    return;
  }
  const at = database.counter_buckets.findIndex((bucket) => bucket.counter === counter && bucket.began_at === began_at);
  const old = database.counter_buckets[at];
  if (old === undefined) database.counter_buckets.push({ counter, began_at, debit, excess });
  else database.counter_buckets[at] = { ...old, debit: old.debit + debit, excess: old.excess + excess };
}

/** Where the oldest bucket begins that is not wholly older than the window; 0 for another kind. */
export function oldestBucket(database: LeaseDatabase, counter: string): number {
  const length = rollingLength(database, counter);
  if (length === null) return 0;
  const size = length / bucketsPerWindow;
  return Math.floor((database.now - length) / size) * size;
}

/** Takes buckets that are wholly older than the window off committed and overrun. A pointer moves, the rows stay. */
export function age(database: LeaseDatabase, counter: string): void {
  const length = rollingLength(database, counter);
  const row = counterRow(database, counter);
  if (length === null || row === null) return;
  const until = oldestBucket(database, counter);
  if (until <= row.aged_until) return;
  let debit = 0n;
  let excess = 0n;
  for (const bucket of database.counter_buckets) {
    if (bucket.counter !== counter || bucket.began_at < row.aged_until || bucket.began_at >= until) continue;
    debit += bucket.debit;
    excess += bucket.excess;
  }
  putCounter(database, { ...row, aged_until: until, aged_debit: row.aged_debit + debit, aged_excess: row.aged_excess + excess });
  if (debit !== 0n) move(database, counter, { kind: 'age', node: null, epoch: null, amount: -debit });
}
