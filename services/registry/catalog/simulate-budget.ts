import type { BudgetDefinition, BudgetLimit } from '../../../schema/values/budget.ts';
import type { BudgetSubject } from './match-budgets.ts';
import { budgetGroupKey, budgetValue, matchesBudget } from './match-budgets.ts';

/** What a request of the past is to a budget. */
export interface PastRequest {
  /** When it was admitted, in epoch milliseconds. */
  readonly atMs: number;
  readonly subject: BudgetSubject;
  /** Whether a call was made for it. */
  readonly isCall: boolean;
  /** Null where a side was not reported. */
  readonly tokens: { readonly input: bigint; readonly output: bigint } | null;
  /** pico-USD as booked; null: not known. */
  readonly cost: bigint | null;
  /** Its cost is not known because its model had no price. */
  readonly isUnpriced: boolean;
}

/** The window of a limit that a moment is in; null: no beginning, no end. */
export interface WindowSpan {
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
}

export interface SimulatedBudget extends Pick<BudgetDefinition, 'selector' | 'groupBy' | 'onUnpricedModel' | 'fallbackPrice'> {
  readonly limits: readonly (Omit<BudgetLimit, 'id'> & {
    /** Asked for moments in order; null: the limit does not count yet. */
    readonly windowAt: (atMs: number) => WindowSpan | null;
  })[];
}

export interface SimulatedWindow extends WindowSpan {
  /** Of all groups together, in the unit of the limit. */
  used: bigint;
  /** The most that one group used. */
  peak: bigint;
  refused: number;
}

export interface SimulatedLimit {
  /** Requests for which this limit had no room. */
  refused: number;
  firstRefusedAtMs: number | null;
  /** The most that one group used at once. */
  peak: bigint;
  /** In order of time; of a rolling limit none. */
  readonly windows: readonly SimulatedWindow[];
}

export interface SimulatedGroup {
  /** In the order of `groupBy`; null for all groups that are not shown. */
  readonly values: readonly (string | null)[] | null;
  requests: number;
  refused: number;
  /** pico-USD of what was let through, and of what was refused, as far as known. */
  cost: bigint;
  refusedCost: bigint;
  firstRefusedAtMs: number | null;
}

export interface Simulation {
  readonly totals: SimulatedGroup;
  /** Of these so many blocked a model without a price. */
  readonly refusedUnpriced: number;
  /** Requests with a limit for which what they used is not known: they count as nothing there. */
  readonly unknown: number;
  readonly limits: readonly SimulatedLimit[];
  /** Most refusals first, then the highest cost. */
  readonly groups: readonly SimulatedGroup[];
}

/** Groups, and windows of one limit, that are kept; beyond it the simulation ends. */
const MOST_GROUPS = 20_000;
const MOST_WINDOWS = 50_000;
const MILLION = 1_000_000n;

interface Counter {
  startsAtMs: number | null;
  used: bigint;
  /** Of a rolling window: what was used in each sixtieth of it. */
  readonly buckets: { readonly startMs: number; used: bigint }[];
}
interface Group {
  readonly counters: readonly Counter[];
  readonly seen: SimulatedGroup;
}

/**
 * What a budget would have refused of requests that were made: a request is refused where what it used, as booked, does not fit into one of the
 * limits, and then it counts nowhere; else it counts in all of them, in the window in which it was admitted. Holds and concurrency are not
 * simulated: with them a request is refused near a limit for the most it could have used.
 * @param options.reportFromMs what was admitted before it counts, and is not reported.
 */
export function createBudgetSimulation(budget: SimulatedBudget, options: { readonly reportFromMs: number }) {
  const groups = new Map<string, Group>();
  const totals = emptyGroup(null);
  const limits = budget.limits.map((limit) => ({
    amount: BigInt(limit.amount),
    seen: { refused: 0, firstRefusedAtMs: null as number | null, peak: 0n },
    windows: new Map<number | null, SimulatedWindow>(),
  }));
  let refusedUnpriced = 0;
  let unknown = 0;

  const groupOf = (subject: BudgetSubject): Group | null => {
    const key = budgetGroupKey(budget.groupBy, subject);
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= MOST_GROUPS) return null;
    const group: Group = {
      counters: budget.limits.map(() => ({ startsAtMs: null, used: 0n, buckets: [] })),
      seen: emptyGroup(budget.groupBy.map((part) => budgetValue(part, subject))),
    };
    groups.set(key, group);
    return group;
  };

  return {
    /** Requests in order of admission. @returns false where more groups or windows are needed than are kept: the simulation ends before it. */
    add: (request: PastRequest): boolean => {
      if (!matchesBudget(budget.selector, request.subject)) return true;
      const group = groupOf(request.subject);
      if (group === null || limits.some(({ windows }) => windows.size >= MOST_WINDOWS)) return false;
      const isBlocked = request.isUnpriced && budget.onUnpricedModel === 'block' && budget.limits.some(({ unit }) => unit === 'usd');
      const spans = budget.limits.map((limit, index) => turnWindow(limit, group.counters[index], request.atMs));
      const amounts = budget.limits.map((limit, index) => (spans[index] === null ? 0n : amountOf(budget, limit, request)));
      const short = limits.flatMap((limit, index) => {
        const amount = amounts[index];
        return amount !== null && amount !== undefined && usedOf(group, index) + amount > limit.amount ? [index] : [];
      });
      const isReported = request.atMs >= options.reportFromMs;
      const windows = limits.map((limit, index) => windowOf(limit.windows, budget.limits[index], spans[index]));
      if (isReported && !isBlocked && amounts.includes(null)) unknown += 1;
      if (isBlocked || short.length > 0) {
        if (!isReported) return true;
        if (isBlocked) refusedUnpriced += 1;
        for (const seen of [group.seen, totals]) refuse(seen, request);
        for (const index of short) {
          const limit = limits[index];
          const window = windows[index];
          if (limit !== undefined) {
            limit.seen.refused += 1;
            limit.seen.firstRefusedAtMs ??= request.atMs;
          }
          if (window != null) window.refused += 1;
        }
        return true;
      }
      for (const [index, limit] of limits.entries()) {
        const amount = amounts[index] ?? 0n;
        const used = use(group, index, amount, budget.limits[index], request.atMs);
        if (isReported && used > limit.seen.peak) limit.seen.peak = used;
        const window = windows[index];
        if (window == null) continue;
        window.used += amount;
        if (used > window.peak) window.peak = used;
      }
      if (isReported) for (const seen of [group.seen, totals]) letThrough(seen, request);
      return true;
    },
    /** @param topN groups that are shown; one more holds the rest. */
    result: (topN: number): Simulation => {
      const seen = [...groups.values()].map((group) => group.seen).filter(({ requests }) => requests > 0);
      seen.sort((one, other) => other.refused - one.refused || compare(other.cost, one.cost));
      return {
        totals,
        refusedUnpriced,
        unknown,
        limits: limits.map((limit) => ({ ...limit.seen, windows: [...limit.windows.values()] })),
        groups: seen.length <= topN ? seen : [...seen.slice(0, topN), sumOf(seen.slice(topN))],
      };
    },
  };

  function usedOf(group: Group, index: number): bigint {
    return group.counters[index]?.used ?? 0n;
  }
}

/** What a request uses of a limit, in its unit; null: not known. */
function amountOf(
  { fallbackPrice }: SimulatedBudget,
  { unit }: Pick<BudgetLimit, 'unit'>,
  { isCall, tokens, cost, isUnpriced }: PastRequest,
): bigint | null {
  if (unit === 'requests') return isCall ? 1n : 0n;
  if (unit === 'tokens') return tokens === null ? (isCall ? null : 0n) : tokens.input + tokens.output;
  if (cost !== null || !isUnpriced || fallbackPrice === null || tokens === null) return cost;
  return (tokens.input * BigInt(fallbackPrice.input) + tokens.output * BigInt(fallbackPrice.output) + MILLION - 1n) / MILLION;
}

/** Begins a counter anew where its window is over, or takes off what has left a rolling one, in sixtieths as leasing does it. */
function turnWindow(
  { window, windowAt }: SimulatedBudget['limits'][number],
  counter: Counter | undefined,
  atMs: number,
): WindowSpan | null {
  const span = windowAt(atMs);
  if (counter === undefined || span === null) return span;
  if (window.kind === 'rolling') {
    const until = bucketStart(atMs - window.seconds * 1_000, window.seconds);
    for (let oldest = counter.buckets[0]; oldest !== undefined && oldest.startMs < until; oldest = counter.buckets[0]) {
      counter.used -= oldest.used;
      counter.buckets.shift();
    }
  } else if (counter.startsAtMs !== span.startsAtMs) {
    counter.startsAtMs = span.startsAtMs;
    counter.used = 0n;
  }
  return span;
}

function bucketStart(atMs: number, windowSeconds: number): number {
  const lengthMs = (windowSeconds * 1_000) / 60;
  return Math.floor(atMs / lengthMs) * lengthMs;
}

/** @returns what is used now. */
function use(group: Group, index: number, amount: bigint, limit: SimulatedBudget['limits'][number] | undefined, atMs: number): bigint {
  const counter = group.counters[index];
  if (counter === undefined || limit === undefined) return 0n;
  counter.used += amount;
  if (limit.window.kind === 'rolling') {
    const startMs = bucketStart(atMs, limit.window.seconds);
    const newest = counter.buckets.at(-1);
    if (newest?.startMs === startMs) newest.used += amount;
    else counter.buckets.push({ startMs, used: amount });
  }
  return counter.used;
}

/** Null of a rolling limit, which is always in the one window. */
function windowOf(
  windows: Map<number | null, SimulatedWindow>,
  limit: Pick<BudgetLimit, 'window'> | undefined,
  span: WindowSpan | null | undefined,
): SimulatedWindow | null {
  if (limit === undefined || span == null || limit.window.kind === 'rolling') return null;
  const known = windows.get(span.startsAtMs);
  if (known !== undefined) return known;
  const window: SimulatedWindow = { ...span, used: 0n, peak: 0n, refused: 0 };
  windows.set(span.startsAtMs, window);
  return window;
}

function emptyGroup(values: SimulatedGroup['values']): SimulatedGroup {
  return { values, requests: 0, refused: 0, cost: 0n, refusedCost: 0n, firstRefusedAtMs: null };
}

function letThrough(seen: SimulatedGroup, { cost }: PastRequest): void {
  seen.requests += 1;
  seen.cost += cost ?? 0n;
}

function refuse(seen: SimulatedGroup, { cost, atMs }: PastRequest): void {
  seen.requests += 1;
  seen.refused += 1;
  seen.refusedCost += cost ?? 0n;
  seen.firstRefusedAtMs ??= atMs;
}

function sumOf(groups: readonly SimulatedGroup[]): SimulatedGroup {
  const sum = emptyGroup(null);
  for (const { requests, refused, cost, refusedCost, firstRefusedAtMs } of groups) {
    sum.requests += requests;
    sum.refused += refused;
    sum.cost += cost;
    sum.refusedCost += refusedCost;
    if (firstRefusedAtMs !== null && firstRefusedAtMs < (sum.firstRefusedAtMs ?? Number.POSITIVE_INFINITY))
      sum.firstRefusedAtMs = firstRefusedAtMs;
  }
  return sum;
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
