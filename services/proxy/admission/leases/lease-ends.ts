import type { LeaseFinal, LeaseState, Slot } from './lease-state.ts';
import { openOf, slotOf } from './lease-state.ts';

/**
 * Leases that are over and done with: nothing is taken from them any more, nothing is open or not synced, and what was free is known to be back. Their sums
 * are final, so their owner may close them. While an ask for the same limit and group is in flight none is: its answer may be of this counter.
 */
export function overLeases(state: LeaseState, most: number): LeaseFinal[] {
  const over: LeaseFinal[] = [];
  if (state.phase !== 'running') return over;
  for (const lease of state.leases.values()) {
    const { limit, group, counter, unsynced, free, acknowledged, returned, spent } = lease;
    if (!lease.gone || openOf(lease) > 0n || unsynced > 0n || free > 0n || acknowledged !== returned) continue;
    const { asking, askingNext } = slotOf(state, limit, group);
    if (asking !== null || askingNext !== null) continue;
    over.push({ counter, epoch: state.epoch, final: spent });
    if (over.length >= most) break;
  }
  return over;
}

/** Forgets leases that the database has closed. */
export function forgetLeases(state: LeaseState, counters: readonly string[]): void {
  for (const counter of counters) state.leases.delete(counter);
}

/** Forgets what was asked for and of which there is nothing any more. @returns how many slots each limit has left. */
export function forgetSlots(state: LeaseState, at: number): Map<string, number> {
  const left = new Map<string, number>();
  const awaited = new Set<Slot>();
  for (const { holds } of state.waiting) for (const { limit, group } of holds) awaited.add(slotOf(state, limit, group));
  for (const lease of state.leases.values()) awaited.add(slotOf(state, lease.limit, lease.group));
  for (const [key, slot] of state.slots) {
    const isIdle = slot.asking === null && slot.askingNext === null && (slot.refusal === null || slot.refusal.until <= at);
    if (isIdle && !awaited.has(slot)) state.slots.delete(key);
    else left.set(slot.limit, (left.get(slot.limit) ?? 0) + 1);
  }
  return left;
}
