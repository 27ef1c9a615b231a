import { putCounter, putLimit, storedLimit } from './rows.ts';
import type { LeaseDatabase, LimitWindow } from './tables.ts';

export function createLimit(database: LeaseDatabase, limit: string, amount: bigint, window: LimitWindow = { kind: 'lifetime' }): void {
  putLimit(database, { limit, budget: limit, unit: 'usd', amount, version: 1, raise: null, window, segment: 0, sealed_at: null });
}

/** Top-up, lowered, or the end of a raise. Counters keep what they have; only grants look at it. */
export function changeAmount(database: LeaseDatabase, limit: string, amount: bigint): void {
  const row = storedLimit(database, limit);
  if (row !== null) putLimit(database, { ...row, amount, version: row.version + 1 });
}

/** A temporary raise, in place of one that may run; null ends it. */
export function raiseLimit(database: LeaseDatabase, limit: string, raise: { readonly by: bigint; readonly until: number } | null): void {
  const row = storedLimit(database, limit);
  if (row !== null) putLimit(database, { ...row, raise, version: row.version + 2 });
}

/** A reset: the next ask makes a new counter, the old ones are sealed and old holds settle there. */
export function resetLimit(database: LeaseDatabase, limit: string): void {
  const row = storedLimit(database, limit);
  if (row === null) return;
  putLimit(database, { ...row, segment: row.segment + 1 });
  for (const counter of database.budget_counters.slice()) {
    if (counter.limit === limit && counter.sealed_at === null) putCounter(database, { ...counter, sealed_at: database.now });
  }
}

/** The budget is archived: nothing is granted any more, what is free comes back, what runs settles. */
export function sealLimit(database: LeaseDatabase, limit: string): void {
  const row = storedLimit(database, limit);
  if (row !== null) putLimit(database, { ...row, sealed_at: row.sealed_at ?? database.now });
}
