import type { AskAnswer, AskAnswerItem, AskItem, LeaseEffect, RefusalCode } from './lease-effects.ts';
import { inFlightMs, type Lease, type LeaseState, learnGranted, type Refusal, type Slot, slotOf, type Waiter } from './lease-state.ts';
import { admitIfFree, mayAdmit, taken, windowTurned } from './lease-takes.ts';

const firstBackoffMs = 1_000;
const longestBackoffMs = 10_000;
/** What is missing lies with the lost or the silent: it will not be back within a beat. */
const stuckRetrySeconds = 60;

function wantOf(lease: Lease | null, need: bigint, scarce: boolean): bigint {
  if (lease === null || scarce) return need;
  let want = need;
  if (lease.usedBefore > want) want = lease.usedBefore;
  if (lease.usedNow > want) want = lease.usedNow;
  return want;
}

/** Sends one ask for these slots; those that have one in flight are left out. */
function ask(state: LeaseState, wanted: readonly { slot: Slot; need: bigint; next: boolean }[], at: number): LeaseEffect[] {
  const items: AskItem[] = [];
  const number = state.asks + 1;
  let all = false;
  for (const { slot, need, next } of wanted) {
    if ((next ? slot.askingNext : slot.asking) !== null) continue;
    const lease = next ? slot.next : slot.lease;
    const scarce = lease !== null && lease.scarceUntil > at;
    all ||= scarce;
    if (next) slot.askingNext = number;
    else slot.asking = number;
    const { limit, group } = slot;
    items.push({
      limit,
      group,
      counter: lease?.counter ?? null,
      next,
      known: lease?.granted ?? 0n,
      need,
      want: wantOf(lease, need, scarce),
    });
  }
  if (items.length === 0) return [];
  state.asks = number;
  const { epoch, generation, live } = state;
  return [{ kind: 'ask', ask: number, epoch, generation, live, all, sentAt: at, items }];
}

/** Asks for what a waiter lacks, of every counter it lacks it in. */
export function askFor(state: LeaseState, waiter: Waiter, at: number): LeaseEffect[] {
  const wanted: { slot: Slot; need: bigint; next: boolean }[] = [];
  for (const { limit, group, amount } of waiter.holds) {
    const slot = slotOf(state, limit, group);
    const free = slot.lease?.free ?? 0n;
    if (free < amount) wanted.push({ slot, need: amount - free, next: false });
  }
  return ask(state, wanted, at);
}

/** The refusal of a short counter, from what the database saw: final only where even a full return would not do. */
function refusalOf(slot: Slot, item: AskAnswerItem, hold: bigint, at: number): Refusal {
  const { version } = item;
  const isFinal = item.unsettled < hold;
  if (!isFinal && item.unsettled - item.stuck >= hold) {
    const until = at + inFlightMs;
    return { code: 'budget_in_flight', retryAfterSeconds: 1, hold, until, backoffMs: inFlightMs, version };
  }
  const backoffMs = Math.min(longestBackoffMs, slot.refusal === null ? firstBackoffMs : slot.refusal.backoffMs * 2);
  const until = at + backoffMs;
  if (isFinal) return { code: 'insufficient_quota', retryAfterSeconds: 0, hold, until, backoffMs, version };
  return { code: 'budget_in_flight', retryAfterSeconds: stuckRetrySeconds, hold, until, backoffMs, version };
}

/** Adopts what an answer says of a lease; a counter that is new here gets its lease. `granted` only grows within a generation. */
function adopt(state: LeaseState, slot: Slot, item: AskAnswerItem, next: boolean, sentAt: number, at: number): void {
  if (item.counter === null) return;
  const stopsAt = item.endsInMs === null ? Number.POSITIVE_INFINITY : sentAt + item.endsInMs;
  const opensAt = item.opensInMs === 0 ? Number.NEGATIVE_INFINITY : at + item.opensInMs;
  let lease = state.leases.get(item.counter);
  if (lease === undefined) {
    if (item.outcome === 'gone') return;
    const { limit, group } = slot;
    const amounts = {
      granted: 0n,
      returned: 0n,
      spent: 0n,
      unsynced: 0n,
      free: 0n,
      acknowledged: 0n,
      usedNow: 0n,
      usedBefore: 0n,
    };
    lease = {
      limit,
      group,
      counter: item.counter,
      ...amounts,
      opensAt,
      stopsAt,
      gone: false,
      scarceUntil: 0,
      yields: 'ready',
      usedAt: at,
      takenBy: null,
      horizonAt: at,
      version: item.version,
    };
    state.leases.set(item.counter, lease);
    if (next) slot.next = lease;
    else slot.lease = lease;
  } else {
    lease.stopsAt = stopsAt;
    lease.opensAt = Math.min(lease.opensAt, opensAt);
    // A beat had told of it before any ask was answered.
    if (!next && slot.lease === null && item.outcome !== 'gone') {
      lease.gone = false;
      slot.lease = lease;
    }
  }
  learnGranted(lease, item.granted);
  lease.version = item.version;
  if (item.outcome === 'gone') drop(slot, lease);
}

/** No more is taken from it; what is free goes back with the next returns, what runs settles there. */
export function drop(slot: Slot, lease: Lease): void {
  lease.gone = true;
  if (slot.lease === lease) slot.lease = null;
  if (slot.next === lease) slot.next = null;
}

/** An answer that is no longer waited for, or from before a restore, is dropped (traces 4, 14). */
export function answered(state: LeaseState, number: number, sentAt: number, answer: AskAnswer | null, at: number): LeaseEffect[] {
  const asked: { slot: Slot; next: boolean }[] = [];
  for (const slot of state.slots.values()) {
    if (slot.asking === number) asked.push({ slot, next: false });
    if (slot.askingNext === number) asked.push({ slot, next: true });
  }
  for (const { slot, next } of asked) {
    if (next) slot.askingNext = null;
    else slot.asking = null;
  }
  if (asked.length === 0) return [];
  if (answer === null || answer.generation < state.generation) return refuseUnanswered(state, asked);
  const short = new Map<Slot, AskAnswerItem>();
  if (answer.status !== 'reconciling') {
    for (const { slot, next } of asked) {
      const item = answer.items.find((each) => each.limit === slot.limit && each.group === slot.group);
      if (item === undefined) continue;
      adopt(state, slot, item, next, sentAt, at);
      if (next) continue;
      if (item.outcome === 'short') {
        short.set(slot, item);
        if (slot.lease?.yields === 'done') slot.lease.yields = 'ready';
      } else if (item.outcome === 'granted' || item.outcome === 'held') slot.refusal = null;
    }
  }
  if (answer.status !== 'answered') return refuseUnanswered(state, asked);
  return serve(state, short, at);
}

/** The waiters, in the order they came: admitted, refused where the answer was short, or asked for again. */
function serve(state: LeaseState, short: ReadonlyMap<Slot, AskAnswerItem>, at: number): LeaseEffect[] {
  const effects: LeaseEffect[] = [];
  const waiting = state.waiting;
  state.waiting = [];
  const refused = new Map<Slot, Refusal>();
  for (const waiter of waiting) {
    const held = mayAdmit(state, at) ? admitIfFree(state, waiter.request, waiter.holds, at) : null;
    if (held !== null) {
      effects.push(taken('open', waiter.request, held));
      continue;
    }
    const refusal = refusalFor(state, waiter, short, refused, at);
    if (refusal !== null) {
      effects.push({ kind: 'refuse', request: waiter.request, ...refusal });
      continue;
    }
    state.waiting.push(waiter);
    effects.push(...askFor(state, waiter, at));
  }
  for (const [slot, refusal] of refused) slot.refusal = refusal;
  return effects;
}

function refusalFor(
  state: LeaseState,
  waiter: Waiter,
  short: ReadonlyMap<Slot, AskAnswerItem>,
  refused: Map<Slot, Refusal>,
  at: number,
): { code: RefusalCode; retryAfterSeconds: number; limit: string } | null {
  for (const { limit, group, amount } of waiter.holds) {
    const slot = slotOf(state, limit, group);
    const item = short.get(slot);
    if (item === undefined || (slot.lease !== null && slot.lease.free >= amount)) continue;
    const refusal = refusalOf(slot, item, amount, at);
    const known = refused.get(slot);
    if (known === undefined || amount < known.hold) refused.set(slot, refusal);
    return { code: refusal.code, retryAfterSeconds: refusal.retryAfterSeconds, limit };
  }
  return null;
}

/** No answer in time, or none to be believed: who waits for one of these slots gets 503; what is known stays, and the next ask says the same `known`. */
function refuseUnanswered(state: LeaseState, asked: readonly { slot: Slot }[]): LeaseEffect[] {
  const effects: LeaseEffect[] = [];
  const slots = new Set(asked.map(({ slot }) => slot));
  state.waiting = state.waiting.filter((waiter) => {
    if (!waiter.holds.some(({ limit, group }) => slots.has(slotOf(state, limit, group)))) return true;
    effects.push({ kind: 'refuse', request: waiter.request, code: 'accounting_unavailable', retryAfterSeconds: 1, limit: null });
    return false;
  });
  return effects;
}

/** Less is free than half of what lasts for the horizon. */
function isHalfUsed(lease: Lease): boolean {
  const { free } = lease;
  const want = wantOf(lease, 0n, false);
  // In this order there is hardly ever anything to work out.
  return want > 0n && want > free && want - free > free;
}

/** Whether {@link askAhead} may have something to ask for this lease; false is certain. */
export function isAheadDue(state: LeaseState, lease: Lease, at: number): boolean {
  return lease.stopsAt - at <= state.times.aheadMs || isHalfUsed(lease);
}

/** Half of what lasts for the horizon is used: ask for more before somebody waits. And for the next window, shortly before this one ends. */
export function askAhead(state: LeaseState, slot: Slot, at: number): LeaseEffect[] {
  windowTurned(slot, at);
  const { lease } = slot;
  if (lease === null || lease.gone || lease.scarceUntil > at || !mayAdmit(state, at)) return [];
  // What is idle goes back: asked for ahead, it would come and go with every tick.
  if (lease.usedAt <= at - state.times.idleMs) return [];
  if (lease.stopsAt - at <= state.times.aheadMs && slot.next === null) {
    return ask(state, [{ slot, need: 0n, next: true }], at);
  }
  if (slot.refusal !== null || !isHalfUsed(lease)) return [];
  return ask(state, [{ slot, need: 0n, next: false }], at);
}
