import { closeLease } from './close-lease.ts';
import { noticeRestore, proveRestored, resumeWhenAllReported, stageReport } from './generation.ts';
import { type ReturnedItem, returnAll } from './lease-return.ts';
import { counterRow, limitRow, nodeRow, putNode } from './rows.ts';
import type { LeaseDatabase, NodeRow, ReportedLease } from './tables.ts';
import { isOver } from './windows.ts';

export interface RegisterArguments {
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  /** The final sum of debits of each lease of an older epoch the spool remembers; an unlisted one is 0. */
  readonly finals: readonly { readonly counter: string; readonly epoch: number; readonly final: bigint }[];
  /** Older epochs whose spool is torn: the end of what they admitted may be missing. */
  readonly torn: readonly number[];
  /** The spool was used by another machine or another boot: wait for the node's silence. False where it is embedded or boot_id is the same. */
  readonly moved: boolean;
}

export interface RegisterAnswer {
  /**
   * - `registered`: this epoch has the node; open leases of older ones are closed (while `reconciling`: staged as the node's report).
   * - `wait`: `moved`, and seen too recently; nothing changed, come back after `wait_ms`.
   * - `superseded`: another incarnation has this epoch, or a younger one: exit.
   */
  readonly status: 'registered' | 'wait' | 'superseded';
  readonly generation: number;
  readonly reconciling: boolean;
  readonly wait_ms: number;
}

/**
 * At boot, before any ask; a graceful stop calls it too, for the epoch after its own (which it claims first, so that nobody else has it): then
 * nothing of it is open and what is still on its way is fenced. Repeated by the same incarnation it answers the same and changes nothing.
 */
export function lease_register(database: LeaseDatabase, args: RegisterArguments): RegisterAnswer {
  noticeRestore(database, 0);
  const { node, epoch, incarnation } = args;
  const answer = (status: RegisterAnswer['status'], wait_ms = 0): RegisterAnswer => {
    const { generation, reconciling } = database.generation;
    return { status, generation, reconciling, wait_ms };
  };
  const row = nodeRow(database, node);
  const repeated = row !== null && row.epoch === epoch && row.incarnation === incarnation;
  if (row !== null && row.epoch >= epoch && !repeated) return answer('superseded');
  if (row !== null && args.moved && !repeated) {
    const waitMs = row.seen_at + database.times.node_ttl_ms + database.times.takeover_margin_ms - database.now;
    if (waitMs > 0) return answer('wait', waitMs);
  }
  if (!repeated) putNode(database, { node, epoch, incarnation, beat: 0, nonce: null, seen_at: database.now, lost_at: null });
  if (database.generation.reconciling) {
    const leases = args.finals.map((final): ReportedLease => ({ ...final, granted: 0n, returned: 0n }));
    stageReport(database, node, leases, args.torn);
    return answer('registered');
  }
  for (const lease of database.leases.slice()) {
    if (lease.node !== node || lease.epoch >= epoch || lease.closed_at !== null) continue;
    const final = args.finals.find((each) => each.counter === lease.counter && each.epoch === lease.epoch)?.final ?? 0n;
    closeLease(database, lease, final, args.torn.includes(lease.epoch), 'register');
  }
  return answer('registered');
}

export interface BeatArguments {
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  readonly generation: number;
  /** Beats acknowledged so far in this epoch. */
  readonly beat: number;
  /** Of this beat; a repeat of an unanswered one carries the same. */
  readonly nonce: string;
  /** Cumulative, of leases whose return has not been acknowledged. */
  readonly returned: readonly ReturnedItem[];
}

export interface BeatLease {
  readonly limit: string;
  readonly group: string;
  readonly counter: string;
  readonly granted: bigint;
  /** Closed (by a person, or a register), sealed or over: drop the room, settle what runs. */
  readonly gone: boolean;
  /** Somebody came up short within the last 30 s: return all free and be scarce. */
  readonly wanted: boolean;
  readonly amount: bigint;
  readonly version: number;
}

export interface BeatAnswer {
  /**
   * - `taken`: `beat` is now one more.
   * - `copied`: another incarnation or a younger epoch has the node, or this very epoch beat without us: exit. Only if the nonce is the one in flight.
   * - `forgotten`: the database knows less than the beat says: it was restored; report.
   */
  readonly status: 'taken' | 'copied' | 'forgotten';
  readonly nonce: string;
  readonly beat: number;
  readonly generation: number;
  /** The node has to report, unless it did in this generation. */
  readonly reconciling: boolean;
  /** Nodes seen within nodeTtl and not lost, this one with them. */
  readonly live: number;
  /** Every lease of this epoch by counter id (SQL may leave out what has not changed since the beat before); empty unless taken. */
  readonly leases: readonly BeatLease[];
}

export function lease_beat(database: LeaseDatabase, args: BeatArguments): BeatAnswer {
  noticeRestore(database, args.generation);
  const { node, epoch, incarnation, beat, nonce } = args;
  const answer = (status: BeatAnswer['status'], leases: readonly BeatLease[] = []): BeatAnswer => {
    const { generation, reconciling } = database.generation;
    const acknowledged = status === 'taken' ? beat + 1 : beat;
    return { status, nonce, beat: acknowledged, generation, reconciling, live: liveNodes(database), leases };
  };
  const row = nodeRow(database, node);
  const superseded = row !== null && (row.epoch > epoch || (row.epoch === epoch && row.incarnation !== incarnation));
  if (superseded) return answer('copied');
  const own = row !== null && row.epoch === epoch;
  if (own && (row.beat === beat || row.nonce === nonce)) {
    putNode(database, { ...row, beat: beat + 1, nonce, seen_at: database.now, lost_at: null });
    if (!database.generation.reconciling) returnAll(database, node, epoch, args.returned);
    return answer('taken', beatLeases(database, node, epoch));
  }
  if (own && row.beat > beat) return answer('copied');
  if (!database.generation.reconciling) proveRestored(database, args.generation);
  return answer('forgotten');
}

function liveNodes(database: LeaseDatabase): number {
  const live = database.lease_nodes.filter((row) => row.lost_at === null && database.now - row.seen_at <= database.times.node_ttl_ms);
  return Math.max(1, live.length);
}

function beatLeases(database: LeaseDatabase, node: string, epoch: number): BeatLease[] {
  const leases: BeatLease[] = [];
  for (const lease of database.leases) {
    if (lease.node !== node || lease.epoch !== epoch) continue;
    const counter = counterRow(database, lease.counter);
    const limit = counter === null ? null : limitRow(database, counter.limit);
    if (counter === null || limit === null) continue;
    leases.push({
      limit: counter.limit,
      group: counter.group_key,
      counter: lease.counter,
      granted: lease.granted,
      gone: lease.closed_at !== null || isOver(database, counter, limit),
      wanted: counter.wanted_at !== null && database.now - counter.wanted_at < database.times.scarce_ms,
      amount: limit.amount,
      version: limit.version,
    });
  }
  return leases.sort((one, other) => (one.counter < other.counter ? -1 : 1));
}

/** A person, or lostAfter of silence: the node's leases stay held, shown as lost. A beat or a register clears it. */
export function lease_declare_lost(database: LeaseDatabase, args: { node: string }): { status: 'lost' | 'unknown' } {
  noticeRestore(database, 0);
  const row = nodeRow(database, args.node) ?? knownByPostings(database, args.node);
  if (row === null) return { status: 'unknown' };
  if (row.lost_at === null) putNode(database, { ...row, lost_at: database.now });
  resumeWhenAllReported(database);
  return { status: 'lost' };
}

/** While reconciling a node may be known by its events alone, the backup being older: it must be possible to go on without it. */
function knownByPostings(database: LeaseDatabase, node: string): NodeRow | null {
  const epochs = database.lease_postings.filter((row) => row.node === node).map((row) => row.epoch);
  if (!database.generation.reconciling || epochs.length === 0) return null;
  return { node, epoch: Math.max(...epochs), incarnation: 'unknown', beat: 0, nonce: null, seen_at: database.now, lost_at: null };
}
