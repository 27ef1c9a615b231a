import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Disk } from '../disk.ts';
import type { Timers } from '../timers.ts';
import type { Place, Segment } from './segment.ts';
import type { SegmentReader } from './segment-reader.ts';

export interface SegmentedLogOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** A segment is followed by a new one once it is this large. */
  readonly segmentBytes: number;
  /** Longest time from a write to the start of the sync that covers it; 0 syncs at once. */
  readonly syncDelayMs: number;
  /** Body of a new segment's header, made when the segment is begun. */
  header(): Buffer;
  /** Told when writing went on in a new segment. */
  onRotated(): void;
  /** Told when more became durable. */
  onSynced(): void;
}

/**
 * An append-only log in segment files: one write per turn of the event loop, group sync, and a way out of a failing disk.
 *
 * When a write or a sync fails, nothing written since the last good sync is trusted: the kernel may have dropped those pages and
 * report the next sync as good. All of it is still in memory, is written again to a new segment, and only the sync of that
 * segment counts. This is tried for ever, with back-off; `writable` is false meanwhile.
 */
export interface SegmentedLog extends SegmentReader {
  /** Stages a frame. It is on disk after this turn, as `whenWritten` tells, and durable when `whenSynced` does. */
  append(kind: number, body: Buffer): Place;
  /** Runs `callback` once all that is staged by now is written; the process's death can no longer undo it. */
  whenWritten(callback: () => void): void;
  /** Runs `callback` once all that is staged by now is synced; the machine's loss can no longer undo it. */
  whenSynced(callback: () => void): void;
  /** Says that a frame of this segment is still needed. */
  hold(segment: Segment): void;
  /** Takes a hold back; what was appended until now is durable before the segment may go. */
  release(segment: Segment): void;
  /** Removes the oldest segments that nobody holds, in order, up to the first that is needed. */
  reclaim(): Promise<void>;
  readonly segments: readonly Segment[];
  readonly current: Segment;
  readonly writable: boolean;
  /** Everything up to this sequence is durable. */
  readonly syncedSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  /** Bytes in memory because they are not durable yet. */
  readonly unsyncedBytes: number;
  /** Resolves when everything staged by now is durable. */
  flush(): Promise<void>;
  /** Closes the files. What is not durable by now is not waited for. */
  close(): Promise<void>;
}
