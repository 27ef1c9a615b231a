import { closeLease } from './close-lease.ts';
import { noticeRestore } from './generation.ts';
import { counterRow, leaseRow, limitRow } from './rows.ts';
import type { LeaseDatabase } from './tables.ts';
import { isOver } from './windows.ts';

/** Of one lease: `open` where its counter is not over; the others as for a return. */
export type CloseOutcome = 'closed' | 'gone' | 'open' | 'forgotten';

/**
 * The final sums of leases whose window is over or whose counter is sealed, from their owner, once all of their holds are settled and synced.
 * It is a word of the owner's and nobody else's: a lease is not closed for its age.
 */
export function lease_close(
  database: LeaseDatabase,
  args: { node: string; epoch: number; items: readonly { readonly counter: string; readonly final: bigint }[] },
): { readonly status: 'answered' | 'reconciling'; readonly generation: number; readonly outcomes: readonly CloseOutcome[] } {
  noticeRestore(database, 0);
  const { generation, reconciling } = database.generation;
  if (reconciling) return { status: 'reconciling', generation, outcomes: [] };
  const outcomes = args.items.map(({ counter: name, final }): CloseOutcome => {
    const lease = leaseRow(database, name, args.node, args.epoch);
    const counter = counterRow(database, name);
    const limit = counter === null ? null : limitRow(database, counter.limit);
    if (lease === null || lease.closed_at !== null || counter === null || limit === null) return 'gone';
    if (!isOver(database, counter, limit)) return 'open';
    if (final > lease.granted - lease.returned) return 'forgotten';
    closeLease(database, lease, final, false, 'over');
    return 'closed';
  });
  return { status: 'answered', generation, outcomes };
}
