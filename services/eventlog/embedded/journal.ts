import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Disk } from '../disk.ts';
import { createSegmentedLog } from '../segments/create-segmented-log.ts';
import { recoverSegments } from '../segments/recovery.ts';
import type { Segment } from '../segments/segment.ts';
import type { SegmentedLog } from '../segments/segmented-log.ts';
import type { Timers } from '../timers.ts';
import type { PartitionIndex } from './partition-index.ts';
import { createPartitionIndex, endOf } from './partition-index.ts';
import type { AppendedRecord } from './protocol.ts';
import { OFFSET_BYTES, readRun } from './read-run.ts';

export interface JournalOptions {
  readonly topic: Topic;
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** At it nothing more is taken, so that a ledger that stands still fills the proxies' spools and not this disk. */
  readonly maxBytes: number;
  /** What is consumed is kept up to this size and age, for replays. What is not consumed is kept. */
  readonly retentionBytes: number;
  readonly retentionMs: number;
  readonly segmentBytes: number;
}

/** All partitions of one topic in one file after another: one sync makes a group durable, whatever its partitions. */
export interface Journal {
  readonly topic: Topic;
  /** Why nothing is taken now, or null. */
  refusal(): string | null;
  /** Gives the records their offsets; `whenDurable` runs after the sync that covers them. */
  append(records: readonly AppendedRecord[], whenDurable: () => void): void;
  /** Durable records from this offset on, within both bounds but at least one if there is any. */
  read(partition: number, offset: bigint, maxRecords: number, maxBytes: number): Promise<readonly StoredRecord[]>;
  /** First offset still held and the next to be written durably. */
  offsets(partition: number): { readonly earliest: bigint; readonly next: bigint };
  /** Says that nobody needs records below this offset any more; nothing else lets records go. */
  release(partition: number, offset: bigint): void;
  /** Calls back whenever more can be read; returns the way to end that. */
  onDurable(listener: () => void): () => void;
  readonly bytes: number;
  /** Waits for what was appended to be durable, for `deadlineMs` at most, and closes. */
  close(deadlineMs: number): Promise<void>;
}

const RECORD_KIND = 1;
const MAX_RESIDENT_BYTES = 32 * 1024 ** 2;

/**
 * Opens a topic's journal and recovers what an earlier process left.
 * @throws when the folder holds another number of partitions: keys would change theirs (DESIGN.md, Rulings).
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { topic, directory, disk, log } = options;
  await disk.makeDirectory(directory);
  const next = Array.from({ length: topic.partitions }, () => 0);
  const index = createPartitionIndex({ partitions: topic.partitions, maxResidentBytes: MAX_RESIDENT_BYTES });
  const recovered = await recoverSegments({
    disk,
    directory,
    log,
    onHeader: (body) => {
      for (const [partition, offset] of parseHeader(body, topic).entries()) next[partition] = Math.max(next[partition] ?? 0, offset);
    },
    onFrame: ({ kind, body }, place) => {
      if (kind !== RECORD_KIND) return;
      const partition = body.readUInt16LE(OFFSET_BYTES);
      const offset = body.readUIntLE(0, OFFSET_BYTES);
      if (partition >= topic.partitions) return;
      index.add(partition, offset, place.segment, place.position, null, 0);
      // A header may be ahead of its own segment's frames, when these were written again after a failed sync.
      next[partition] = Math.max(next[partition] ?? 0, offset + 1);
    },
  });
  const listeners = new Set<() => void>();
  let onSynced = (): void => {};
  const segments = await createSegmentedLog(
    {
      ...options,
      syncDelayMs: 0,
      header: () => Buffer.from(JSON.stringify({ format: 1, topic: topic.name, next })),
      onRotated: () => {},
      onSynced: () => onSynced(),
    },
    recovered,
  );
  const journal = runJournal(options, { segments, index, next, listeners });
  onSynced = journal.onSynced;
  log.info(
    { directory, topic: topic.name, next: next.reduce((sum, offset) => sum + offset, 0), damaged: recovered.damage.length },
    'journal open',
  );
  return journal;
}

type Parts = {
  readonly segments: SegmentedLog;
  readonly index: PartitionIndex;
  readonly next: number[];
  readonly listeners: Set<() => void>;
};

function runJournal(options: JournalOptions, { segments, index, next, listeners }: Parts): Journal & { onSynced(): void } {
  const { topic, clock, log } = options;
  const durable = [...next];
  const released = Array.from({ length: topic.partitions }, () => 0);
  const begunAt = new Map<Segment, number>();
  for (const segment of segments.segments) keepUntilReleased(segment);

  /** A segment stays until {@link retain} lets it go. */
  function keepUntilReleased(segment: Segment): void {
    if (begunAt.has(segment)) return;
    begunAt.set(segment, clock.now());
    segments.hold(segment);
  }

  function retain(): void {
    let keptBytes = segments.bytes;
    for (const segment of segments.segments) {
      const age = clock.now() - (begunAt.get(segment) ?? clock.now());
      if (segment === segments.current || (keptBytes <= options.retentionBytes && age <= options.retentionMs)) break;
      if (!index.runsOf(segment).every((run) => endOf(run) <= (released[run.partition] ?? 0))) break;
      keptBytes -= segment.size;
      if (!begunAt.delete(segment)) continue;
      index.drop(segment);
      segments.release(segment);
    }
    segments.reclaim().catch((error: unknown) => log.warn({ error }, 'could not remove a consumed journal segment'));
  }

  return {
    topic,
    get bytes() {
      return segments.bytes;
    },
    refusal() {
      if (!segments.writable) return 'the disk of the event log does not take writes';
      return segments.bytes < options.maxBytes
        ? null
        : `the event log is at its bound of ${options.maxBytes} bytes: the ledger does not keep up`;
    },
    append(records, whenDurable) {
      const reached = new Map<number, number>();
      for (const { record, bytes } of records) {
        const { partition } = record;
        const offset = next[partition] ?? 0;
        const body = Buffer.allocUnsafe(OFFSET_BYTES + bytes.length);
        body.writeUIntLE(offset, 0, OFFSET_BYTES);
        bytes.copy(body, OFFSET_BYTES);
        const place = segments.append(RECORD_KIND, body);
        keepUntilReleased(place.segment);
        next[partition] = offset + 1;
        index.add(partition, offset, place.segment, place.position, record, place.length);
        reached.set(partition, offset + 1);
      }
      segments.whenSynced(() => {
        for (const [partition, offset] of reached) durable[partition] = offset;
        whenDurable();
      });
    },
    async read(partition, offset, maxRecords, maxBytes) {
      const records: StoredRecord[] = [];
      const end = durable[partition] ?? 0;
      let bytes = 0;
      let from = Number(offset);
      while (records.length < maxRecords && from < end) {
        const run = index.find(partition, from);
        if (run === null) break;
        from = Math.max(from, run.firstOffset);
        const limit = Math.min(endOf(run), end, from + maxRecords - records.length);
        for (const record of await readRun(segments, run, from, limit)) {
          bytes += record.value.length + record.key.length;
          if (bytes > maxBytes && records.length > 0) return records;
          records.push(record);
        }
        from = limit;
      }
      return records;
    },
    offsets(partition) {
      const end = durable[partition] ?? 0;
      return { earliest: BigInt(Math.min(index.earliest(partition) ?? end, end)), next: BigInt(end) };
    },
    release(partition, offset) {
      released[partition] = Math.max(released[partition] ?? 0, Number(offset));
      retain();
    },
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onSynced() {
      for (const listener of listeners) listener();
    },
    async close(deadlineMs) {
      let cancel = (): void => {};
      const deadline = new Promise<void>((resolve) => {
        cancel = options.timers.after(deadlineMs, resolve);
      });
      await Promise.race([segments.flush(), deadline]);
      cancel();
      await segments.close();
    },
  };
}

function parseHeader(body: Buffer, topic: Topic): readonly number[] {
  const header: unknown = JSON.parse(body.toString());
  const next = typeof header === 'object' && header !== null && 'next' in header ? header.next : null;
  if (!Array.isArray(next) || !next.every((offset) => Number.isSafeInteger(offset)))
    throw new Error('A journal segment has no header of ours');
  if (next.length !== topic.partitions) {
    throw new Error(
      `The journal of ${topic.name} has ${next.length} partitions, not ${topic.partitions}: a changed number would break the order of keys`,
    );
  }
  return next.map(Number);
}
