import { askAhead, isAheadDue } from './lease-asks.ts';
import type { LeaseEffect, ReturnedItem } from './lease-effects.ts';
import type { Lease, LeaseState } from './lease-state.ts';
import { openOf } from './lease-state.ts';
import { windowTurned } from './lease-takes.ts';

/** Somebody came up short, or the limit changed: for a while nothing is kept that is not used. */
export function recalled(state: LeaseState, lease: Lease, at: number): void {
  lease.scarceUntil = at + state.times.scarceMs;
}

/**
 * Somebody came up short, and nothing is ever free as long as this process has more requests than room: what it frees it would take again at once, and
 * the others would get none while it is busy. So one call's room goes back with each such word, until it turns out that nobody else takes it.
 */
export function yieldNext(state: LeaseState, lease: Lease, at: number): void {
  if (lease.scarceUntil <= at) lease.yields = 'ready';
  if (lease.yields === 'ready' && state.live > 1 && openOf(lease) + lease.unsynced > 0n) lease.yields = 'due';
}

/** Cumulative sums the database is not known to have. */
export function unacknowledged(state: LeaseState): ReturnedItem[] {
  const items: ReturnedItem[] = [];
  for (const { counter, returned, acknowledged } of state.leases.values()) if (returned > acknowledged) items.push({ counter, returned });
  return items;
}

/** Whether what is free now has to go back: nobody here uses it, or somebody elsewhere wants it. */
function mustReturn(state: LeaseState, lease: Lease, at: number): boolean {
  if (lease.gone || state.phase === 'stopping') return true;
  return lease.scarceUntil > at || lease.usedAt + state.times.idleMs <= at;
}

/** Lowers `free` first and tells then, so that a return that is late or repeated is of room nobody here has. */
export function returnFree(state: LeaseState, at: number): LeaseEffect[] {
  const items: ReturnedItem[] = [];
  for (const lease of state.leases.values()) {
    // Numbers first: most leases are in use, and each tick looks at all of them.
    if (!mustReturn(state, lease, at)) continue;
    const { free } = lease;
    if (free <= 0n || isAwaited(state, lease)) continue;
    lease.returned += free;
    lease.free = 0n;
    items.push({ counter: lease.counter, returned: lease.returned });
  }
  return items.length === 0 ? [] : [{ kind: 'return', epoch: state.epoch, items }];
}

/** While an ask for it is in flight, what is free is part of what a waiter needs. Two that wait for each other end: all or none, and a wait is short. */
function isAwaited(state: LeaseState, lease: Lease): boolean {
  if (lease.gone || state.phase === 'stopping') return false;
  return state.waiting.some((waiter) => waiter.holds.some(({ limit, group }) => limit === lease.limit && group === lease.group));
}

/** What the database says it has. A lease that is over and done with is forgotten; the spool remembers its sum. */
export function returned(
  state: LeaseState,
  items: readonly { counter: string; outcome: 'returned' | 'gone' | 'forgotten'; returned: bigint }[],
): void {
  for (const { counter, outcome, returned: has } of items) {
    const lease = state.leases.get(counter);
    if (lease === undefined) continue;
    if (outcome === 'gone') lease.acknowledged = lease.returned;
    if (outcome === 'returned' && has > lease.acknowledged) lease.acknowledged = has;
  }
}

/**
 * What time alone asks for, called every 50 ms or less: windows turn, waits end, what is idle or wanted goes back, the horizon's next slice is asked for.
 * No room is ever made by it.
 */
export function tick(state: LeaseState, at: number): LeaseEffect[] {
  const effects: LeaseEffect[] = [];
  const waiting = state.waiting;
  state.waiting = waiting.filter((waiter) => waiter.until > at);
  for (const waiter of waiting) {
    if (waiter.until > at) continue;
    effects.push({ kind: 'refuse', request: waiter.request, code: 'accounting_unavailable', retryAfterSeconds: 1, limit: null });
  }
  for (const slot of state.slots.values()) windowTurned(slot, at);
  effects.push(...returnFree(state, at));
  for (const slot of state.slots.values()) {
    if (slot.lease !== null && isAheadDue(state, slot.lease, at)) effects.push(...askAhead(state, slot, at));
  }
  return effects;
}
