import { larger, smaller } from './amounts.ts';
import { move, putLease } from './rows.ts';
import type { LeaseDatabase, LeaseRow } from './tables.ts';

/**
 * What a lease is once its owner has said its final sum of debits: `granted = greatest(granted, final)`, then `returned = granted - final`; after a
 * torn spool the unspent rest is `unproven` instead. A final above what torn accounting leaves room for takes from `returned`.
 */
export function closed(lease: LeaseRow, final: bigint, torn: boolean, now: number): LeaseRow {
  const granted = larger(lease.granted, final);
  if (!torn) return { ...lease, granted, returned: granted - final, unproven: 0n, closed_at: now };
  const returned = smaller(lease.returned, granted - final);
  return { ...lease, granted, returned, unproven: granted - returned - final, closed_at: now };
}

/** Closes an open lease and moves `committed` by what its room changed. */
export function closeLease(database: LeaseDatabase, lease: LeaseRow, final: bigint, torn: boolean, cause: string): void {
  const after = closed(lease, final, torn, database.now);
  putLease(database, after);
  const amount = after.granted - after.returned - (lease.granted - lease.returned);
  if (amount === 0n) return;
  move(database, lease.counter, { kind: 'close', node: lease.node, epoch: lease.epoch, amount, cause });
}
