import type { CalendarKind } from './window-reference.ts';
import { referenceWindow } from './window-reference.ts';

/** A limit of the model; `anchor` is a local time, as in window-reference.ts. */
export type ModelLimit = {
  readonly kind: CalendarKind | 'rolling' | 'lifetime';
  readonly zone: string;
  readonly anchor: number;
  readonly amount: bigint;
  readonly windowSeconds: number | null;
};

type ModelLease = { granted: bigint; returned: bigint; posted: bigint };
type Post = { readonly at: number; readonly debit: bigint; readonly excess: bigint };

/** What one limit counted in one of its windows: every lease, and every posting with its moment. */
export type ModelCounter = {
  readonly limit: ModelLimit;
  /** Null where the window has neither beginning nor end. */
  readonly window: { readonly starts: number; readonly ends: number } | null;
  readonly leases: Map<string, ModelLease>;
  readonly posts: Post[];
};

const bucketsPerWindow = 60;

/** Admission by arithmetic: no statement, no cursor of what has left a window; sums over all that ever happened, each time. */
export function createAdmissionModel(limits: readonly ModelLimit[]) {
  const counters = limits.map(() => new Map<number, ModelCounter>());
  const lastWindow: { starts: number; ends: number }[] = [];

  const windowAt = (index: number, at: number): ModelCounter['window'] => {
    const limit = limitAt(index);
    if (limit.kind === 'rolling' || limit.kind === 'lifetime') return null;
    const last = lastWindow[index];
    if (last !== undefined && last.starts <= at && at < last.ends) return last;
    const found = referenceWindow(limit.kind, limit.zone, limit.anchor, at);
    lastWindow[index] = found;
    return found;
  };
  const limitAt = (index: number): ModelLimit => {
    const limit = limits[index];
    if (limit === undefined) throw new Error(`no limit ${index}`);
    return limit;
  };

  return {
    /** The counter of a moment, or that of the window after it. */
    counterAt: (index: number, at: number, next = false): ModelCounter => {
      const now = windowAt(index, at);
      const window = next && now !== null ? windowAt(index, now.ends) : now;
      const key = window === null ? 0 : window.starts;
      const known = counters[index]?.get(key);
      if (known !== undefined) return known;
      const counter: ModelCounter = { limit: limitAt(index), window, leases: new Map(), posts: [] };
      counters[index]?.set(key, counter);
      return counter;
    },
    all: (): readonly { readonly index: number; readonly counter: ModelCounter }[] =>
      counters.flatMap((of, index) => [...of.values()].map((counter) => ({ index, counter }))),
  };
}

export function leaseOf(counter: ModelCounter, node: string): ModelLease {
  const known = counter.leases.get(node);
  if (known !== undefined) return known;
  const lease = { granted: 0n, returned: 0n, posted: 0n };
  counter.leases.set(node, lease);
  return lease;
}

/** Where the oldest sixtieth of a rolling window begins that has not wholly left it; what was posted before counts no more. */
function oldest({ limit: { windowSeconds } }: ModelCounter, at: number): number {
  if (windowSeconds === null) return Number.NEGATIVE_INFINITY;
  const bucketMs = (windowSeconds * 1000) / bucketsPerWindow;
  return Math.floor((at - windowSeconds * 1000) / bucketMs) * bucketMs;
}

const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((one, other) => one + other, 0n);

/** settled, held, overrun of a counter as they count at a moment. */
export function countedAt(
  counter: ModelCounter,
  at: number,
): { readonly settled: bigint; readonly held: bigint; readonly overrun: bigint } {
  const from = oldest(counter, at);
  const counted = counter.posts.filter((post) => post.at >= from);
  return {
    settled: sum(counted.map(({ debit, excess }) => debit + excess)),
    held: sum([...counter.leases.values()].map(({ granted, returned, posted }) => granted - returned - posted)),
    overrun: sum(counted.map(({ excess }) => excess)),
  };
}

/** What can be admitted at a moment: exactly this, and not one unit more. */
export function roomAt(counter: ModelCounter, at: number): bigint {
  const { settled, held } = countedAt(counter, at);
  return counter.limit.amount - settled - held;
}

/** What was posted within the last so many windows of a rolling limit by the moments themselves, without sixtieths. */
export function postedWithin({ limit: { windowSeconds }, posts }: ModelCounter, at: number, sixtieths: number): bigint {
  const windowMs = (windowSeconds ?? 0) * 1000;
  const from = at - windowMs - (sixtieths * windowMs) / bucketsPerWindow;
  return sum(posts.filter((post) => post.at > from).map(({ debit, excess }) => debit + excess));
}
