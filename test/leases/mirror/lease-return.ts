import { noticeRestore } from './generation.ts';
import { leaseRow, move, putLease } from './rows.ts';
import type { LeaseDatabase } from './tables.ts';

export interface ReturnedItem {
  readonly counter: string;
  /** The cumulative sum of what this lease gave back: a repeat adds nothing, a late one is overtaken. */
  readonly returned: bigint;
}

/**
 * - `returned`: the row has at least this now; the answer's `returned` is the row's.
 * - `gone`: no such lease, or closed: its final sum was the last word.
 * - `forgotten`: more than the row was ever granted: the database was restored. Nothing changed; the next beat or ask proves it.
 */
export type ReturnOutcome = 'returned' | 'gone' | 'forgotten';

export interface ReturnAnswer {
  /** `reconciling`: nothing was applied; the owner repeats it with its beats. */
  readonly status: 'answered' | 'reconciling';
  readonly generation: number;
  readonly items: readonly {
    readonly counter: string;
    readonly outcome: ReturnOutcome;
    readonly granted: bigint;
    readonly returned: bigint;
  }[];
}

/** Also of a node that is called lost or silent: what it gives back is free, or it would leak once the node is found (trace 8). */
export function lease_return(database: LeaseDatabase, args: { node: string; epoch: number; items: readonly ReturnedItem[] }): ReturnAnswer {
  noticeRestore(database, 0);
  const { generation, reconciling } = database.generation;
  if (reconciling) return { status: 'reconciling', generation, items: [] };
  const outcomes = returnAll(database, args.node, args.epoch, args.items);
  const items = args.items.map((item, index) => {
    const lease = leaseRow(database, item.counter, args.node, args.epoch);
    const outcome = outcomes[index] ?? 'gone';
    return { counter: item.counter, outcome, granted: lease?.granted ?? 0n, returned: lease?.returned ?? 0n };
  });
  return { status: 'answered', generation, items };
}

export function returnAll(database: LeaseDatabase, node: string, epoch: number, items: readonly ReturnedItem[]): ReturnOutcome[] {
  return items.map(({ counter, returned }) => {
    const lease = leaseRow(database, counter, node, epoch);
    if (lease === null || lease.closed_at !== null) return 'gone';
    if (returned > lease.granted) return 'forgotten';
    if (returned <= lease.returned) return 'returned';
    putLease(database, { ...lease, returned });
    move(database, counter, { kind: 'return', node, epoch, amount: lease.returned - returned });
    return 'returned';
  });
}
