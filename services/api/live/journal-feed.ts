import type { EntryRow } from '../../../schema/graphql/ports/journal-reads.ts';
import type { Listener } from '../../runtime/postgres.ts';

/**
 * Where streams read the sequenced journal. Two implementations pass one conformance suite: PostgreSQL, and the twin of the
 * simulation.
 */
export interface JournalFeed {
  /**
   * What positions belong to: another server, or the same one restored to an earlier time, counts them anew, and a cursor of
   * before would point at other rows.
   */
  epoch(signal: AbortSignal): Promise<string>;
  /** The journal of one organization (uuid), and of no other. Nothing is asked any more once `signal` is aborted. */
  of(organizationId: string, signal: AbortSignal): JournalPages;
  /** Calls back when something was sequenced; with `reconnected`, something may have been missed, also another server. */
  listen(onWake: (reconnected: boolean) => void): Listener;
}

/** Reads of one organization's journal. */
export interface JournalPages {
  /** The last position that is given out, or -1n in an empty journal. */
  head(): Promise<bigint>;
  /** Positions after one, in order and without holes: one sequencer commits them densely. */
  page(after: bigint, limit: number): Promise<readonly JournalItem[]>;
  /** Items of one kind after a position and up to another, in order. */
  pageOf(kind: PassingKind, range: { readonly after: bigint; readonly upTo: bigint }, limit: number): Promise<readonly JournalItem[]>;
}

/** What there is little of, so that streams of it pass over all else by an index. */
export type PassingKind = 'audit' | 'alert';

/** One position of an organization's journal. */
export interface JournalItem {
  readonly position: bigint;
  readonly sequencedAt: Date;
  /** Null where it is not a usage entry: an audit event, an adjustment. */
  readonly usage: EntryRow | null;
  /** Null where it is not an audit event. */
  readonly audit: AuditedAct | null;
  /** uuid of the alert of a budget; null where it is none. */
  readonly alert: string | null;
}

/** What an audit event says was done to what, as far as streams tell it. */
export interface AuditedAct {
  /** uuid of the audit event. */
  readonly id: string;
  readonly occurredAt: Date;
  readonly action: string;
  readonly targets: unknown;
}
