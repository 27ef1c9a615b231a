/**
 * What one proxy process knows of its leases (`reference/leases.md` §2). No clock, no I/O, no randomness: all three come in as inputs.
 *
 * It is changed in place. A take of five counters has about a microsecond, and copies of maps would cost more than the decision; amounts are
 * plain fields, and only sums are made anew. What wants to look back, as the exploration in `test/leases` does, takes `copyLeaseState` first.
 */

/** Times of `reference/leases.md` §10, in ms. */
export interface LeaseTimes {
  /** After the last acknowledged beat was sent: no admission, no ask. */
  readonly fenceMs: number;
  /** Longest time a request waits for an ask. */
  readonly leaseWaitMs: number;
  /** What was used in so long is what is asked for. */
  readonly horizonMs: number;
  readonly idleMs: number;
  readonly scarceMs: number;
  /** The next window is asked for so long before the end. */
  readonly aheadMs: number;
}

export const leaseTimes: LeaseTimes = {
  fenceMs: 240_000,
  leaseWaitMs: 250,
  horizonMs: 10_000,
  idleMs: 10_000,
  scarceMs: 30_000,
  aheadMs: 10_000,
};

/** How long a short counter is not asked for again. A client is told to come back after as long, and then it is. */
export const inFlightMs = 1_000;

/** Requests that may wait for asks at once; one more is refused as if no answer had come. */
export const mostWaiting = 1_000;

/** The lease of one counter in this epoch; amounts in the limit's unit. */
export interface Lease {
  readonly limit: string;
  readonly group: string;
  readonly counter: string;
  granted: bigint;
  returned: bigint;
  /** Sum of debits. */
  spent: bigint;
  /** Room that settlements freed whose records are not synced: a power cut would bring their holds back. */
  unsynced: bigint;
  /** What may still be held. Of what was granted the rest is open holds: see {@link openOf}. */
  free: bigint;
  /** What the database is known to have of `returned`. */
  acknowledged: bigint;
  /** Nothing is taken before (the next window's lease) or from then on, by the proxy's clock. */
  opensAt: number;
  stopsAt: number;
  /** Over, sealed or closed: what is free goes back, what runs settles here. */
  gone: boolean;
  /** Recalled until then: asks for exactly what waits, keeps nothing free. */
  scarceUntil: number;
  /**
   * While scarce: `due`, what the next call frees goes back, however many wait here; `done`, it went, and since then nothing has shown that others take
   * it; `ready` for the next word that somebody is short.
   */
  yields: 'ready' | 'due' | 'done';
  usedAt: number;
  /** The request that took of it last, which may take once more; null: none did. */
  takenBy: string | null;
  /** Net use of the horizon that runs, and of the one before. */
  usedNow: bigint;
  usedBefore: bigint;
  horizonAt: number;
  /** The limit's version the last answer carried. */
  version: number;
}

/** A refusal that is remembered, so that a storm on an empty budget costs one ask. */
export interface Refusal {
  readonly code: 'insufficient_quota' | 'budget_in_flight';
  readonly retryAfterSeconds: number;
  /** Holds of at least this are refused without an ask. */
  readonly hold: bigint;
  readonly until: number;
  readonly backoffMs: number;
  readonly version: number;
}

/** One limit and group value: the counter of now, and that of the window that comes. */
export interface Slot {
  readonly limit: string;
  readonly group: string;
  lease: Lease | null;
  next: Lease | null;
  /** Number of the ask in flight, for the lease of now and for the next: one each. */
  asking: number | null;
  askingNext: number | null;
  refusal: Refusal | null;
}

export interface HoldWanted {
  readonly limit: string;
  readonly group: string;
  readonly amount: bigint;
}

/** What a request used of each counter; a map is one. Undefined: not known. */
export interface HoldCosts {
  get(counter: string): bigint | undefined;
}

export interface Hold {
  readonly lease: Lease;
  /** Of the lease. */
  readonly counter: string;
  readonly amount: bigint;
}

export interface Waiter {
  readonly request: string;
  readonly holds: readonly HoldWanted[];
  readonly until: number;
}

interface Unsynced {
  readonly settlement: number;
  readonly lease: Lease;
  readonly amount: bigint;
  /** Not room here, once it is synced, but for whoever asks. */
  readonly goesBack: boolean;
}

/** The final sum of debits of a lease of an older epoch. */
export interface LeaseFinal {
  readonly counter: string;
  readonly epoch: number;
  readonly final: bigint;
}

export interface LeaseState {
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  readonly times: LeaseTimes;
  /** `exited`: somebody else has this spool; nothing is done any more. */
  phase: 'registering' | 'running' | 'stopping' | 'stopped' | 'exited';
  generation: number;
  /** Nodes alive, as the last beat told. */
  live: number;
  /** No admission and no ask from then on; before the first beat there is none. */
  fenceAt: number;
  /** Beats acknowledged. */
  beats: number;
  /** The beat in flight: when it was first sent. */
  beating: { readonly nonce: string; readonly sentAt: number } | null;
  /** The report of a reconciliation is on its way or has been taken, for this generation. */
  reported: number;
  asks: number;
  settlements: number;
  readonly slots: Map<string, Slot>;
  /** By counter: those in slots, and those that drain. */
  readonly leases: Map<string, Lease>;
  readonly requests: Map<string, Hold[]>;
  waiting: Waiter[];
  unsynced: Unsynced[];
  /** Of older epochs, as the spool remembers them, for a reconciliation. */
  readonly finals: readonly LeaseFinal[];
  readonly torn: readonly number[];
  readonly moved: boolean;
}

export function createLeaseState(options: {
  node: string;
  epoch: number;
  incarnation: string;
  finals: readonly LeaseFinal[];
  torn: readonly number[];
  moved: boolean;
  times: LeaseTimes;
}): LeaseState {
  return {
    ...options,
    phase: 'registering',
    generation: 0,
    live: 1,
    fenceAt: Number.NEGATIVE_INFINITY,
    beats: 0,
    beating: null,
    reported: 0,
    asks: 0,
    settlements: 0,
    slots: new Map(),
    leases: new Map(),
    requests: new Map(),
    waiting: [],
    unsynced: [],
  };
}

/**
 * Sum of the open holds of a lease. Nobody adds it up: every request would pay for it, and what was granted is either returned, spent, freed and not
 * synced yet, free, or held.
 */
export function openOf({ granted, returned, spent, unsynced, free }: Lease): bigint {
  return granted - returned - spent - unsynced - free;
}

/** Learns how much the database has granted in all. A sum that is smaller than what is known is of an answer that came late. */
export function learnGranted(lease: Lease, granted: bigint): void {
  if (granted <= lease.granted) return;
  lease.free += granted - lease.granted;
  lease.granted = granted;
}

/** A text that is put together is hashed anew at each look-up, so what needs no group is found by its limit itself. */
function slotKey(limit: string, group: string): string {
  return group === '' ? limit : `${limit} ${group}`;
}

/** Whether this limit and group value was ever asked for here. */
export function hasSlot(state: LeaseState, limit: string, group: string): boolean {
  return state.slots.has(slotKey(limit, group));
}

export function slotOf(state: LeaseState, limit: string, group: string): Slot {
  const key = slotKey(limit, group);
  const found = state.slots.get(key);
  if (found !== undefined) return found;
  const slot: Slot = { limit, group, lease: null, next: null, asking: null, askingNext: null, refusal: null };
  state.slots.set(key, slot);
  return slot;
}

/** A copy that shares nothing that changes. */
export function copyLeaseState(state: LeaseState): LeaseState {
  const copies = new Map<Lease, Lease>();
  const copy = (lease: Lease): Lease => {
    const known = copies.get(lease);
    if (known !== undefined) return known;
    const made = { ...lease };
    copies.set(lease, made);
    return made;
  };
  const leases = new Map<string, Lease>();
  for (const [counter, lease] of state.leases) leases.set(counter, copy(lease));
  const slots = new Map<string, Slot>();
  for (const [key, slot] of state.slots) {
    slots.set(key, { ...slot, lease: slot.lease && copy(slot.lease), next: slot.next && copy(slot.next) });
  }
  const requests = new Map<string, Hold[]>();
  for (const [request, holds] of state.requests) {
    requests.set(
      request,
      holds.map((hold) => ({ ...hold, lease: copy(hold.lease) })),
    );
  }
  const unsynced = state.unsynced.map((each) => ({ ...each, lease: copy(each.lease) }));
  return { ...state, leases, slots, requests, waiting: state.waiting.slice(), unsynced };
}
