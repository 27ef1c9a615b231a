import type { LogRecord } from '../../schema/events/log-record.ts';
import type { SpoolBoot } from './spool/spool-recovery.ts';

/**
 * The spool: each proxy's own append-only log on local disk (DESIGN.md, "The spool", invariants 1 and 2).
 * Admission opens a record before the provider is called, settlement closes it before the last byte goes out, and the event
 * log's acknowledgement frees it. Records of one event-loop turn are written by one call; `onWritten` runs after that write
 * (and, with `durability: strict`, after the sync), so whatever goes out from it survives `kill -9`.
 */
export interface Spool {
  /**
   * Opens a request. Returns false when the spool is at its bound, its disk full or read-only, or it is stopping: then
   * nothing is recorded and the caller refuses the request with `accounting_unavailable`.
   * @param draft what the settlement of an orphan is made from, should this process die before `close`.
   */
  open(requestId: string, draft: string, onWritten: () => void): boolean;
  /**
   * Closes a request with its event. Never refused: room for it was kept by `open`. A failing disk keeps the record in
   * memory, makes `state().writable` false and retries; `onWritten` still waits for the disk.
   */
  close(requestId: string, event: LogRecord, onWritten: () => void): void;
  /** Appends an event that needs no open record (a request refused before any provider call). Same bound and promise as `open`. */
  append(requestId: string, event: LogRecord, onWritten: () => void): boolean;
  /** Requests a previous process of this spool left open, in order; each must be closed (as `orphaned`) once. */
  readonly orphans: readonly { readonly requestId: string; readonly draft: string }[];
  /** The boots that wrote what the folder still holds, oldest first; not this one. */
  readonly boots: readonly SpoolBoot[];
  /** Writes what is carried for the owner, at other times than when a segment begins. */
  carry(): void;
  /** Runs `callback` once all that was recorded by now survives the loss of the machine. */
  whenSynced(callback: () => void): void;
  /** Takes the epoch after this one, so that nobody else ever has it. @returns it. */
  claimNextEpoch(): Promise<number>;
  /** Whether its folder has a later epoch: the one that `claimNextEpoch` took, or that of whoever owns it by now. */
  hasLaterEpoch(): Promise<boolean>;
  state(): SpoolState;
  /** Syncs, hands over what is closed to the event log until it is all acknowledged or the deadline passes, then writes the clean end mark. */
  stop(deadlineMs: number): Promise<void>;
}

export interface SpoolState {
  readonly writable: boolean;
  /** Opened and not closed. */
  readonly open: number;
  /** Closed and not yet acknowledged by the event log. */
  readonly unsent: number;
  readonly bytes: number;
  /** Age of the oldest closed record not yet acknowledged; 0 when there is none. */
  readonly oldestUnsentMs: number;
  /** Number of this boot of the spool's folder, from 1; part of every event's source. */
  readonly epoch: number;
}
