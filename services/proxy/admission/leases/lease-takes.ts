import type { LeaseEffect, ReturnedItem, SettledHold } from './lease-effects.ts';
import { type Hold, type HoldCosts, type HoldWanted, inFlightMs, type Lease, type LeaseState, type Slot, slotOf } from './lease-state.ts';

/** Registered, not stopping, and an acknowledged beat not older than the fence: the only state in which anything is admitted or asked for. */
export function mayAdmit(state: LeaseState, at: number): boolean {
  return state.phase === 'running' && at < state.fenceAt;
}

/** Moves a slot on when the window of its lease is over: the old one drains, the next one serves once it is open. */
export function windowTurned(slot: Slot, at: number): void {
  if (slot.lease !== null && at >= slot.lease.stopsAt) {
    slot.lease.gone = true;
    slot.lease = null;
    // What the old window had no room for says nothing of the new one.
    slot.refusal = null;
  }
  if (slot.lease === null && slot.next !== null && at >= slot.next.opensAt) {
    slot.lease = slot.next;
    slot.next = null;
    slot.refusal = null;
  }
}

/** The lease to take from now, or null. */
function leaseOfNow(state: LeaseState, wanted: HoldWanted, at: number): Lease | null {
  const slot = slotOf(state, wanted.limit, wanted.group);
  const now = slot.lease;
  if (now === null || at >= now.stopsAt) windowTurned(slot, at);
  const lease = slot.lease;
  return lease === null || lease.gone || at < lease.opensAt ? null : lease;
}

function use(lease: Lease, amount: bigint, horizonMs: number, at: number): void {
  if (at - lease.horizonAt >= horizonMs) {
    lease.usedBefore = at - lease.horizonAt >= 2 * horizonMs ? 0n : lease.usedNow;
    lease.usedNow = 0n;
    lease.horizonAt = at;
  }
  lease.usedNow += amount;
}

/**
 * Takes all holds, or none (`reference/leases.md` §4.1). The caller writes the record before it dispatches, with no await in between.
 *
 * A counter that is named twice is taken twice, and its second hold has to fit beside the first.
 * @returns what was taken, in the order of what was wanted, or null.
 */
export function admitIfFree(state: LeaseState, request: string, wanted: readonly HoldWanted[], at: number): readonly Hold[] | null {
  const holds: Hold[] = [];
  for (const each of wanted) {
    const { amount: needed } = each;
    const lease = leaseOfNow(state, each, at);
    if (lease === null || lease.free < needed) {
      for (const { lease: held, amount } of holds) held.free += amount;
      return null;
    }
    lease.free -= needed;
    holds.push({ lease, counter: lease.counter, amount: needed });
  }
  const earlier = state.requests.get(request);
  let isTwice = earlier !== undefined;
  for (const { lease, amount } of holds) {
    if (lease.takenBy === request) isTwice = true;
    lease.takenBy = request;
    lease.usedAt = at;
    use(lease, amount, state.times.horizonMs, at);
  }
  state.requests.set(request, isTwice ? mergedByLease([...(earlier ?? []), ...holds]) : holds);
  return holds;
}

/** Holds of one request on one lease as one, which settle together: the cost is that of all its calls. */
function mergedByLease(holds: readonly Hold[]): Hold[] {
  const merged = new Map<Lease, bigint>();
  for (const { lease, amount } of holds) merged.set(lease, (merged.get(lease) ?? 0n) + amount);
  return [...merged].map(([lease, amount]) => ({ lease, counter: lease.counter, amount }));
}

/** The record of what was taken. */
export function taken(kind: 'open' | 'raise', request: string, holds: readonly Hold[]): LeaseEffect {
  return { kind, request, holds };
}

/** `min(cost, hold + free)`, for which nearly nothing has to be added up. */
function debitOf(cost: bigint, hold: bigint, free: bigint): bigint {
  if (cost <= hold) return cost;
  const most = hold + free;
  return cost < most ? cost : most;
}

/** Room goes back for others to ask for: who waits here is refused as if the database had been asked, until each of them had its chance. */
function letOthersAsk(state: LeaseState, lease: Lease, at: number): void {
  lease.yields = 'done';
  const { limit, group, version } = lease;
  const until = at + inFlightMs;
  slotOf(state, limit, group).refusal = { code: 'budget_in_flight', retryAfterSeconds: 1, hold: 0n, until, backoffMs: inFlightMs, version };
}

/**
 * Ends a request (§4.4). `cost` null: price or usage unknown, the whole hold is debited, to be corrected later, never 0; 0 only where the call was
 * provably never sent. A cost above the hold is paid from the same lease first; only what is left then is an overrun.
 */
export function settle(state: LeaseState, request: string, costs: HoldCosts | null, at: number): LeaseEffect[] {
  const holds = state.requests.get(request);
  if (holds === undefined) return [];
  state.requests.delete(request);
  const settlement = state.settlements + 1;
  state.settlements = settlement;
  const settled: SettledHold[] = [];
  for (const { lease, counter, amount: hold } of holds) {
    const cost = costs?.get(counter) ?? hold;
    const debit = debitOf(cost, hold, lease.free);
    lease.spent += debit;
    lease.usedAt = at;
    const freed = hold - debit;
    lease.usedNow -= freed;
    if (freed > 0n) {
      lease.unsynced += freed;
      const goesBack = lease.yields === 'due' && lease.scarceUntil > at;
      state.unsynced.push({ settlement, lease, amount: freed, goesBack });
      if (goesBack) letOthersAsk(state, lease, at);
    } else if (freed < 0n) lease.free += freed;
    settled.push({ counter, hold, debit, cost });
  }
  return [{ kind: 'close', request, settlement, holds: settled }];
}

/** The records of all settlements up to this one are synced: what they freed is room again, here or, where somebody is short, for all. */
export function synced(state: LeaseState, settlement: number): LeaseEffect[] {
  const { unsynced } = state;
  const items: ReturnedItem[] = [];
  let count = 0;
  // They stand in the order of their settlements: of what is not synced yet, none is looked at but the first.
  for (let first = unsynced[0]; first !== undefined && first.settlement <= settlement; first = unsynced[count]) {
    const { lease, amount, goesBack } = first;
    lease.unsynced -= amount;
    if (goesBack) {
      lease.returned += amount;
      items.push({ counter: lease.counter, returned: lease.returned });
    } else lease.free += amount;
    count += 1;
  }
  if (count > 0) unsynced.splice(0, count);
  return items.length === 0 ? [] : [{ kind: 'return', epoch: state.epoch, items }];
}
