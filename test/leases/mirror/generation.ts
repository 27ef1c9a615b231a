import { larger, smaller } from './amounts.ts';
import { closed } from './close-lease.ts';
import { counterRow, leaseRow, limitRow, move, nodeRow, putLease, putNode } from './rows.ts';
import { copyDatabase, type LeaseDatabase, type ReportedLease } from './tables.ts';
import { counterView } from './view.ts';
import { openCounter } from './windows.ts';

/** A backup is the whole database as it was; restoring it makes a server with another timeline, that does not know it yet. */
export function restoreBackup(database: LeaseDatabase, backup: LeaseDatabase, timeline: string): void {
  const { now } = database;
  Object.assign(database, copyDatabase(backup), { now, timeline });
}

/**
 * generation + 1 and `reconciling`. One above the greater of the stored and the presented number, since the stored one comes from the backup.
 *
 * Every node counts as seen now: what the backup says of it is from before, and somebody may wait for its silence to take its spool over.
 */
export function proveRestored(database: LeaseDatabase, presented: number): void {
  const stored = database.generation.generation;
  const generation = Math.max(stored, presented) + 1;
  database.generation = { generation, timeline: database.timeline, reconciling: true };
  database.lease_reports = [];
  database.lease_nodes = database.lease_nodes.map((row) => ({ ...row, seen_at: Math.max(row.seen_at, database.now) }));
}

/** What each function does first: the server's own timeline, or a node that knows a later generation, shows that it was restored. */
export function noticeRestore(database: LeaseDatabase, presented: number): void {
  const { generation, timeline } = database.generation;
  if (timeline !== database.timeline || presented > generation) proveRestored(database, presented);
}

export interface ReportArguments {
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  /** The generation the report was made for; a report for an earlier one is refused. */
  readonly generation: number;
  /** The beat the node sends next. */
  readonly beat: number;
  /**
   * Its own open leases (`final: null`, its `granted` and `returned`) and the finals of every older epoch the spool remembers.
   * SQL needs limit, window and group of each counter as well, since the counter may be younger than the backup; the mirror reads them from its name.
   */
  readonly leases: readonly ReportedLease[];
  readonly torn: readonly number[];
}

export interface ReportAnswer {
  /**
   * - `staged`: kept; grants wait for others. `resumed`: it was the last, grants go on. `settled`: nothing to reconcile.
   * - `stale`: made for an older generation: adopt `generation` and report again. `superseded`: a younger epoch has the node: exit.
   */
  readonly status: 'staged' | 'resumed' | 'settled' | 'stale' | 'superseded';
  readonly generation: number;
}

/** §9: a node's side of the books, staged until everybody's is there. It makes or corrects the node's own row. */
export function lease_report(database: LeaseDatabase, args: ReportArguments): ReportAnswer {
  noticeRestore(database, args.generation);
  const { generation, reconciling } = database.generation;
  if (args.generation < generation) return { status: 'stale', generation };
  const { node, epoch, incarnation, beat } = args;
  const row = nodeRow(database, node);
  if (row !== null && (row.epoch > epoch || (row.epoch === epoch && row.incarnation !== incarnation)))
    return { status: 'superseded', generation };
  if (!reconciling) return { status: 'settled', generation };
  putNode(database, { node, epoch, incarnation, beat, nonce: null, seen_at: database.now, lost_at: null });
  stageReport(database, node, args.leases, args.torn);
  return { status: database.generation.reconciling ? 'staged' : 'resumed', generation };
}

/** Keeps a report and resumes when it was the last that was missing. */
export function stageReport(database: LeaseDatabase, node: string, leases: readonly ReportedLease[], torn: readonly number[]): void {
  database.lease_reports = [...database.lease_reports.filter((row) => row.node !== node), { node, leases, torn }];
  resumeWhenAllReported(database);
}

/** Every node that is known by its row or by its postings has reported, or is declared lost. */
export function resumeWhenAllReported(database: LeaseDatabase): void {
  if (!database.generation.reconciling) return;
  const reported = new Set(database.lease_reports.map((row) => row.node));
  const lost = new Set(database.lease_nodes.filter((row) => row.lost_at !== null).map((row) => row.node));
  const known = new Set([...database.lease_nodes.map((row) => row.node), ...database.lease_postings.map((row) => row.node)]);
  for (const node of known) if (!reported.has(node) && !lost.has(node)) return;
  resume(database);
}

/** One transaction for all nodes: figures applied node by node would put new room of one beside old room of another (trace 13). */
function resume(database: LeaseDatabase): void {
  for (const report of database.lease_reports) for (const lease of report.leases) mergeLease(database, report.node, report.torn, lease);
  for (const report of database.lease_reports) closeOlder(database, report.node, report.torn);
  for (const counter of database.budget_counters) {
    const amount = counterView(database, counter).expected - counter.committed;
    if (amount !== 0n) move(database, counter.counter, { kind: 'reconcile', node: null, epoch: null, amount });
  }
  database.lease_reports = [];
  database.generation = { ...database.generation, reconciling: false };
}

/** The greater of both sides; a row that is closed has had its last word already. */
function mergeLease(database: LeaseDatabase, node: string, torn: readonly number[], reported: ReportedLease): void {
  const { counter, epoch } = reported;
  if (counterRow(database, counter) === null) recreateCounter(database, counter);
  if (counterRow(database, counter) === null) return;
  const row = leaseRow(database, counter, node, epoch) ?? {
    counter,
    node,
    epoch,
    granted: 0n,
    returned: 0n,
    unproven: 0n,
    closed_at: null,
  };
  if (row.closed_at !== null) return;
  if (reported.final !== null) {
    putLease(database, closed(row, reported.final, torn.includes(epoch), database.now));
    return;
  }
  const granted = larger(row.granted, reported.granted);
  const returned = larger(row.returned, reported.returned);
  putLease(database, { ...row, granted, returned: smaller(returned, granted) });
}

/** A lease of an older epoch that its node does not list was never spent from, as far as an untorn spool can tell. */
function closeOlder(database: LeaseDatabase, node: string, torn: readonly number[]): void {
  const epoch = nodeRow(database, node)?.epoch ?? 0;
  for (const row of database.leases.slice()) {
    if (row.node !== node || row.epoch >= epoch || row.closed_at !== null) continue;
    putLease(database, closed(row, 0n, torn.includes(row.epoch), database.now));
  }
}

function recreateCounter(database: LeaseDatabase, counter: string): void {
  const [name, window_key, group_key] = counter.split('/');
  const limit = name === undefined ? null : limitRow(database, name);
  if (limit === null || window_key === undefined || group_key === undefined) return;
  const index = Number(window_key.split(':')[1]);
  const ends_at = limit.window.kind === 'fixed' ? (index + 1) * limit.window.length_ms : null;
  const empty = {
    committed: 0n,
    cap: limit.amount,
    version: 0,
    wanted_at: null,
    sealed_at: null,
    aged_debit: 0n,
    aged_excess: 0n,
    aged_until: 0,
  };
  openCounter(database, { counter, limit: limit.limit, window_key, group_key, ends_at, ...empty });
}
