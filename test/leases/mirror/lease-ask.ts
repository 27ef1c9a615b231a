import { larger, smaller } from './amounts.ts';
import { noticeRestore, proveRestored } from './generation.ts';
import { age } from './rolling.ts';
import { counterRow, leaseRow, limitRow, move, nodeRow, putCounter, putLease } from './rows.ts';
import type { CounterRow, LeaseDatabase, LeaseRow, LimitRow } from './tables.ts';
import { counterView } from './view.ts';
import { counterAt, counterOf, endsInMs, isOver, opensInMs } from './windows.ts';

export interface AskItem {
  readonly limit: string;
  readonly group: string;
  /** The counter that `known` is about; null while the node has none for this limit and group: then the database computes the window. */
  readonly counter: string | null;
  /** Ask for the window after the current one. Only with `counter: null`. */
  readonly next: boolean;
  /** The node's own `granted` of the lease of this counter in this epoch, 0 if it has none. */
  readonly known: bigint;
  /** What waits: less than this is no use. May be 0, for an ask ahead of need. */
  readonly need: bigint;
  /** What would last for the horizon; taken as at least `need`. */
  readonly want: bigint;
}

/**
 * - `granted`: `add` was added (it may be 0 when nothing was needed).
 * - `held`: the row already has more than `known`: an earlier answer was lost. Nothing was added; adopt `granted`.
 * - `short`: `need` is more than the room that is left. `wanted_at` was stamped: the others will be recalled.
 * - `withheld`: there was room, but with `all` another item was short or gone. Nothing was added.
 * - `gone`: the window is over, the counter sealed, the lease closed, or the limit unknown. Drop the room, settle what runs.
 */
export type AskOutcome = 'granted' | 'held' | 'short' | 'withheld' | 'gone';

export interface AskAnswerItem {
  readonly limit: string;
  readonly group: string;
  /** Null only where no counter could be named (`gone` without a known limit). */
  readonly counter: string | null;
  readonly outcome: AskOutcome;
  /** Of the lease of (counter, node, epoch), whatever the outcome; 0 where there is no row. */
  readonly granted: bigint;
  readonly amount: bigint;
  readonly version: number;
  /** amount - committed - overrun, after this ask: what could still be granted to somebody. */
  readonly rest: bigint;
  /** amount - settled: less than need means `insufficient_quota`, else the room is only in flight. */
  readonly unsettled: bigint;
  /** What of the held is lost, or in leases of nodes that are silent: it will not come back within seconds. */
  readonly stuck: bigint;
  readonly sealed: boolean;
  readonly ends_in_ms: number | null;
  readonly opens_in_ms: number;
}

export interface AskAnswer {
  /**
   * - `answered`: see each item.
   * - `fenced`: this epoch is not the node's, it is lost, or was not seen within nodeTtl. Nothing was added; each item still carries `granted`.
   * - `reconciling`: the database was restored, or the ask is of an older generation. Nothing was added, and no `granted` is to be believed.
   */
  readonly status: 'answered' | 'fenced' | 'reconciling';
  readonly generation: number;
  readonly items: readonly AskAnswerItem[];
}

export interface AskArguments {
  readonly node: string;
  readonly epoch: number;
  readonly generation: number;
  readonly items: readonly AskItem[];
  /** Live nodes, as the last beat told; at least 1. */
  readonly live: number;
  /** One item short: none granted. */
  readonly all: boolean;
}

/** Whether an epoch of a node may be granted anything: it is the current one, not lost, seen within nodeTtl. */
function maySpend(database: LeaseDatabase, node: string, epoch: number): boolean {
  const row = nodeRow(database, node);
  return row !== null && row.epoch === epoch && row.lost_at === null && database.now - row.seen_at <= database.times.node_ttl_ms;
}

/** leases.md §3, `rest`: what may still be granted. */
function restOf(database: LeaseDatabase, counter: CounterRow, limit: LimitRow): bigint {
  return limit.amount - counter.committed - counterView(database, counter).overrun;
}

/** `least(want, greatest(need, trunc(rest / (2 * live))))`. */
function sliceOf(rest: bigint, need: bigint, want: bigint, live: number): bigint {
  const share = rest / BigInt(2 * Math.max(1, live));
  return smaller(larger(want, need), larger(need, share));
}

function stuckRoom(database: LeaseDatabase, counter: CounterRow): bigint {
  let stuck = counterView(database, counter).lost;
  for (const lease of database.leases) {
    if (lease.counter !== counter.counter || lease.closed_at !== null) continue;
    const node = nodeRow(database, lease.node);
    if (node === null || node.lost_at !== null || database.now - node.seen_at <= database.times.node_ttl_ms) continue;
    const posted = database.lease_postings.find(
      (row) => row.counter === lease.counter && row.node === lease.node && row.epoch === lease.epoch,
    );
    const left = lease.granted - lease.returned - (posted?.posted ?? 0n);
    if (left > 0n) stuck += left;
  }
  return stuck;
}

/** What an item is about, found before anything is decided. */
interface Found {
  readonly item: AskItem;
  readonly limit: LimitRow | null;
  readonly counter: CounterRow | null;
  readonly lease: LeaseRow | null;
}

function answerItem(database: LeaseDatabase, found: Found, outcome: AskOutcome, args: AskArguments): AskAnswerItem {
  const { item, limit } = found;
  const counter = found.counter === null ? null : counterRow(database, found.counter.counter);
  const lease = counter === null ? null : leaseRow(database, counter.counter, args.node, args.epoch);
  const base = { limit: item.limit, group: item.group, outcome, granted: lease?.granted ?? 0n };
  if (limit === null || counter === null) {
    return {
      ...base,
      counter: null,
      amount: 0n,
      version: 0,
      rest: 0n,
      unsettled: 0n,
      stuck: 0n,
      sealed: true,
      ends_in_ms: null,
      opens_in_ms: 0,
    };
  }
  return {
    ...base,
    counter: counter.counter,
    amount: limit.amount,
    version: limit.version,
    rest: restOf(database, counter, limit),
    unsettled: limit.amount - counterView(database, counter).settled,
    stuck: stuckRoom(database, counter),
    sealed: counter.sealed_at !== null || limit.sealed_at !== null,
    ends_in_ms: endsInMs(database, counter),
    opens_in_ms: opensInMs(database, counter, limit),
  };
}

function counterFor(database: LeaseDatabase, limit: LimitRow, item: AskItem, insert: boolean): CounterRow | null {
  if (item.counter !== null) return counterRow(database, item.counter);
  return insert ? counterOf(database, limit, item.group, item.next) : counterAt(database, limit, item.group, item.next);
}

/** Finds the rows of one item; counters and leases are inserted only for those who may spend. */
function find(database: LeaseDatabase, args: AskArguments, item: AskItem, insert: boolean): Found {
  const limit = limitRow(database, item.limit);
  if (limit === null) return { item, limit, counter: null, lease: null };
  const counter = counterFor(database, limit, item, insert && limit.sealed_at === null);
  if (counter === null) return { item, limit, counter, lease: null };
  const { node, epoch } = args;
  let lease = leaseRow(database, counter.counter, node, epoch);
  if (lease === null && insert && !isOver(database, counter, limit) && item.known === 0n) {
    lease = { counter: counter.counter, node, epoch, granted: 0n, returned: 0n, unproven: 0n, closed_at: null };
    putLease(database, lease);
  }
  return { item, limit, counter, lease };
}

/**
 * leases.md §3: the only statement that raises `committed` of a guarded counter.
 *
 * In this order: a restored database or an older generation -> `reconciling`; the node row -> `fenced`; then per item, with all counters locked by id:
 * unknown limit, over, sealed or closed -> `gone`; row below `known` -> the database was restored (`reconciling`, nothing of this ask stays);
 * row above `known` -> `held`; `need` above the rest -> `short`; else `granted`. An ask that adds 0 writes no log entry.
 */
export function lease_ask(database: LeaseDatabase, args: AskArguments): AskAnswer {
  noticeRestore(database, args.generation);
  const refused = (status: 'fenced' | 'reconciling'): AskAnswer => ({
    status,
    generation: database.generation.generation,
    items: args.items.map((item) => answerItem(database, find(database, args, item, false), 'withheld', args)),
  });
  if (database.generation.reconciling || args.generation < database.generation.generation) return refused('reconciling');
  if (!maySpend(database, args.node, args.epoch)) return refused('fenced');
  const forgotten = args.items.some((item) => {
    const counter = item.counter;
    return item.known > 0n && counter !== null && (leaseRow(database, counter, args.node, args.epoch)?.granted ?? 0n) < item.known;
  });
  if (forgotten) {
    proveRestored(database, args.generation);
    return refused('reconciling');
  }
  const found = args.items.map((item) => find(database, args, item, true));
  for (const each of found) if (each.counter !== null) age(database, each.counter.counter);
  const outcomes = found.map((each) => decide(database, each));
  if (args.all && outcomes.some((outcome) => outcome === 'short' || outcome === 'gone')) {
    for (const [index, outcome] of outcomes.entries()) if (outcome === 'granted') outcomes[index] = 'withheld';
  }
  for (const [index, each] of found.entries()) if (outcomes[index] === 'granted') outcomes[index] = grant(database, each, args);
  return {
    status: 'answered',
    generation: database.generation.generation,
    items: found.map((each, index) => answerItem(database, each, outcomes[index] ?? 'gone', args)),
  };
}

function decide(database: LeaseDatabase, { item, limit, counter: old, lease }: Found): AskOutcome {
  const counter = old === null ? null : counterRow(database, old.counter);
  if (limit === null || counter === null || isOver(database, counter, limit)) return 'gone';
  if (lease === null || lease.closed_at !== null) return 'gone';
  if (lease.granted > item.known) return 'held';
  if (item.need <= restOf(database, counter, limit)) return 'granted';
  putCounter(database, { ...counter, wanted_at: database.now });
  return 'short';
}

/** Twice the same counter in one ask finds the rest that the first one left. */
function grant(database: LeaseDatabase, { item, limit, counter: old }: Found, { node, epoch, live }: AskArguments): AskOutcome {
  const counter = old === null ? null : counterRow(database, old.counter);
  const lease = counter === null ? null : leaseRow(database, counter.counter, node, epoch);
  if (limit === null || counter === null || lease === null) return 'gone';
  const rest = restOf(database, counter, limit);
  if (item.need > rest) return 'short';
  const add = sliceOf(rest, item.need, item.want, live);
  if (add === 0n) return 'granted';
  putLease(database, { ...lease, granted: lease.granted + add });
  move(database, counter.counter, { kind: 'grant', node, epoch, amount: add }, limit.amount);
  return 'granted';
}
