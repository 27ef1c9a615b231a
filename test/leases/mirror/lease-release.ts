import { larger } from './amounts.ts';
import { noticeRestore } from './generation.ts';
import { leaseRow, move, nodeRow, putLease } from './rows.ts';
import type { LeaseDatabase } from './tables.ts';
import { posted } from './view.ts';

export interface ReleaseArguments {
  readonly node: string;
  readonly counter: string;
  /** leases.md names node and counter only; a node can have several lost leases of one counter, one an epoch. */
  readonly epoch: number;
  /** What the person says was spent from it; taken as at least what is posted. */
  readonly spent: bigint;
  readonly reason: string;
}

export interface ReleaseAnswer {
  /** `unknown`: no such lease; `living`: its node is not lost and nothing of it is unproven: only the owner may; `reconciling`: wait. */
  readonly status: 'released' | 'unknown' | 'living' | 'reconciling';
  /** What became free. */
  readonly freed: bigint;
}

/** A person closes a lost or unproven lease. Its room becomes what was spent; whatever turns up later is uncovered: overrun, `declared`. */
export function lease_release(database: LeaseDatabase, args: ReleaseArguments): ReleaseAnswer {
  noticeRestore(database, 0);
  if (database.generation.reconciling) return { status: 'reconciling', freed: 0n };
  const { node, counter, epoch, reason } = args;
  const lease = leaseRow(database, counter, node, epoch);
  if (lease === null) return { status: 'unknown', freed: 0n };
  const lost = nodeRow(database, node)?.lost_at ?? null;
  if (lost === null && lease.unproven === 0n) return { status: 'living', freed: 0n };
  const settled = posted(database, counter, node, epoch);
  const spent = larger(args.spent, settled);
  const room = lease.granted - lease.returned;
  const freed = room > spent ? room - spent : 0n;
  putLease(database, { ...lease, returned: lease.returned + freed, unproven: 0n, closed_at: lease.closed_at ?? database.now });
  if (freed > 0n) move(database, counter, { kind: 'release', node, epoch, amount: -freed, cause: reason });
  return { status: 'released', freed };
}
