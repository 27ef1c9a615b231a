/**
 * The tables of leases.md §2 as plain records, under the names they have in SQL.
 *
 * A row is never changed, it is replaced: a copy of the database is a copy of its arrays, which is what makes thousands of states a second affordable.
 */

/** One proxy process with one spool folder. */
export interface NodeRow {
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  /** Beats acknowledged in this epoch. */
  readonly beat: number;
  /** Of the last beat that was taken; null before the first of an epoch. */
  readonly nonce: string | null;
  readonly seen_at: number;
  readonly lost_at: number | null;
}

/** Stands in for calendars and time zones, which are the SQL's business: fixed windows are counted from the epoch of the clock. */
export type LimitWindow = { readonly kind: 'lifetime' } | { readonly kind: 'fixed' | 'rolling'; readonly length_ms: number };

export interface LimitRow {
  readonly limit: string;
  readonly budget: string;
  readonly unit: string;
  readonly amount: bigint;
  /** Grows with each change of amount, and by two with each raise, whose end counts as one. */
  readonly version: number;
  /** So much more until then. */
  readonly raise: { readonly by: bigint; readonly until: number } | null;
  readonly window: LimitWindow;
  /** Grows with each reset; part of the window key. */
  readonly segment: number;
  readonly sealed_at: number | null;
}

/** One limit x window x group value. `counter` is `<limit>/<window_key>/<group_key>` here; SQL may number them. */
export interface CounterRow {
  readonly counter: string;
  readonly limit: string;
  /** `<segment>:<number of the window>`; the number is 0 for a lifetime and a rolling window. */
  readonly window_key: string;
  readonly group_key: string;
  /** Null: the window has no end. */
  readonly ends_at: number | null;
  readonly committed: bigint;
  readonly cap: bigint;
  /** The last one of the counter's log: dense, from 1; 0 before the first entry. */
  readonly version: number;
  readonly wanted_at: number | null;
  readonly sealed_at: number | null;
  /** Rolling windows: debits and excess of buckets that have left the window, taken off committed and overrun. */
  readonly aged_debit: bigint;
  readonly aged_excess: bigint;
  /** Rolling windows: buckets that began before this have been taken off. */
  readonly aged_until: number;
}

export interface LeaseRow {
  readonly counter: string;
  readonly node: string;
  readonly epoch: number;
  readonly granted: bigint;
  readonly returned: bigint;
  readonly unproven: bigint;
  readonly closed_at: number | null;
}

/** What moved `committed`: `release` is a person's, `reconcile` what a restore had lost. */
export type LeaseLogKind = 'grant' | 'return' | 'close' | 'credit' | 'age' | 'release' | 'reconcile';

/** Append-only. `amount` is the signed change of `committed`; `committed` and `cap` are as they are after it. */
export interface LeaseLogRow {
  readonly counter: string;
  readonly version: number;
  readonly kind: LeaseLogKind;
  readonly node: string | null;
  readonly epoch: number | null;
  readonly amount: bigint;
  readonly committed: bigint;
  readonly cap: bigint;
  readonly cause: string | null;
}

/** Posting alone writes it; it may be there before, after or without its lease. */
export interface PostingRow {
  readonly counter: string;
  readonly node: string;
  readonly epoch: number;
  readonly posted: bigint;
}

/** Posting alone writes it. */
export interface TotalsRow {
  readonly counter: string;
  readonly settled: bigint;
  readonly excess: bigint;
}

/** Rolling windows: what was posted from `began_at` on, for a sixtieth of the window. `debit` is without what was credited. */
export interface BucketRow {
  readonly counter: string;
  readonly began_at: number;
  readonly debit: bigint;
  readonly excess: bigint;
}

/** What a node says of one lease while the database reconciles; `final` of an older epoch that it has closed, null for its own. */
export interface ReportedLease {
  readonly counter: string;
  readonly epoch: number;
  readonly granted: bigint;
  readonly returned: bigint;
  readonly final: bigint | null;
}

/** The staging table of §9: the last report of each node. */
export interface ReportRow {
  readonly node: string;
  readonly leases: readonly ReportedLease[];
  /** Epochs that ended torn, as far back as the spool remembers. */
  readonly torn: readonly number[];
}

export interface Generation {
  readonly generation: number;
  /** Timeline and system identifier, as one word: of the database that last knew itself to be the one that was written to. */
  readonly timeline: string;
  readonly reconciling: boolean;
}

/** The times the statements compare with, in ms. */
export interface LeaseTimes {
  readonly node_ttl_ms: number;
  /** Added to node_ttl_ms before another machine may take over. */
  readonly takeover_margin_ms: number;
  readonly scarce_ms: number;
}

/** Everything in one place. `now` is the database's clock in ms, `timeline` what the running server says it is; the caller sets both. */
export interface LeaseDatabase {
  now: number;
  timeline: string;
  readonly times: LeaseTimes;
  /** Kept only where it is asked for: an exploration would drown in histories. */
  readonly keepLog: boolean;
  generation: Generation;
  lease_nodes: NodeRow[];
  budget_limits: LimitRow[];
  budget_counters: CounterRow[];
  leases: LeaseRow[];
  lease_log: LeaseLogRow[];
  lease_postings: PostingRow[];
  counter_totals: TotalsRow[];
  counter_buckets: BucketRow[];
  lease_reports: ReportRow[];
}

/** The defaults of leases.md §10. */
const defaultTimes: LeaseTimes = { node_ttl_ms: 300_000, takeover_margin_ms: 60_000, scarce_ms: 30_000 };

export function emptyDatabase(options: { times?: LeaseTimes; keepLog?: boolean; now?: number } = {}): LeaseDatabase {
  return {
    now: options.now ?? 0,
    timeline: 't1',
    times: options.times ?? defaultTimes,
    keepLog: options.keepLog ?? true,
    generation: { generation: 1, timeline: 't1', reconciling: false },
    lease_nodes: [],
    budget_limits: [],
    budget_counters: [],
    leases: [],
    lease_log: [],
    lease_postings: [],
    counter_totals: [],
    counter_buckets: [],
    lease_reports: [],
  };
}

export function copyDatabase(database: LeaseDatabase): LeaseDatabase {
  return {
    ...database,
    lease_nodes: database.lease_nodes.slice(),
    budget_limits: database.budget_limits.slice(),
    budget_counters: database.budget_counters.slice(),
    leases: database.leases.slice(),
    lease_log: database.keepLog ? database.lease_log.slice() : database.lease_log,
    lease_postings: database.lease_postings.slice(),
    counter_totals: database.counter_totals.slice(),
    counter_buckets: database.counter_buckets.slice(),
    lease_reports: database.lease_reports.slice(),
  };
}
