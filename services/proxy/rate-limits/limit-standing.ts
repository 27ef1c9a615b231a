import type { Lease } from '../admission/leases/lease-state.ts';
import { openOf } from '../admission/leases/lease-state.ts';

/** What one process knows of a limit in the window that runs. */
export interface LimitStanding {
  /**
   * What requests may still take, in the limit's unit: exact where no other process takes of it; else what others were given since this one last
   * asked is not in it.
   */
  readonly remaining: bigint;
  /** What requests of this process used for certain. */
  readonly spent: bigint;
  /** Milliseconds until the window ends; infinite = never. */
  readonly endsInMs: number;
}

/** @param ungranted what could still be granted to somebody, as last told, less what this process had returned by then. */
export function standingOf(lease: Lease, ungranted: bigint, now: number): LimitStanding {
  const remaining = ungranted + lease.granted - lease.spent - openOf(lease);
  return { remaining: remaining > 0n ? remaining : 0n, spent: lease.spent, endsInMs: Math.max(0, lease.stopsAt - now) };
}
