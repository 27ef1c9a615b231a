import { join } from 'node:path';
import type { Log } from '../../runtime/log.ts';
import type { Disk } from '../disk.ts';
import type { Frame } from './frame.ts';
import { findFrame, frameBytes, MAX_BODY_BYTES, readFrame } from './frame.ts';
import type { Place, Segment } from './segment.ts';
import { createSegment, HEADER_KIND, segmentNumber } from './segment.ts';

/** More than a log leaves unsynced: 64 MiB at most wait for a sync, in segments that go on for a while beyond their size. */
const UNPROVEN_BYTES = 96 * 1024 ** 2;

export interface RecoveredSegments {
  /** Oldest first. */
  readonly segments: Segment[];
  readonly nextNumber: number;
  readonly nextSequence: number;
  /** Runs of bytes inside segments that could not be read though frames follow them. Reported, copied aside, never silent. */
  readonly damage: readonly { readonly path: string; readonly from: number; readonly to: number }[];
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly log: Log;
  /** Sees every readable frame in order of sequence. `place.segment` may be held by it. */
  onFrame(frame: Frame, place: Place): void;
  /** Sees each segment's header body, before the segment's frames. */
  onHeader?(body: Buffer): void;
}

/**
 * Reads what an earlier process left. A torn tail is cut. Bytes that cannot be read in front of frames that can are damage:
 * the segment is copied to `damaged/`, the rest of it is read, and the damage is returned and logged.
 * Frames that were written again after a failed sync stand in two segments, each perhaps with holes: segments that overlap are
 * merged by sequence, and a frame counts once.
 */
export async function recoverSegments(options: RecoveryOptions): Promise<RecoveredSegments> {
  const found = await findSegments(options);
  const damage: { path: string; from: number; to: number }[] = [];
  const segments: Segment[] = [];
  let nextSequence = 1;
  let highest = 0;
  let overlapping: Located[] = [];

  /** Hands over what no later segment can have a frame in front of. */
  function handOver(limit: number): void {
    overlapping.sort((left, right) => left.frame.sequence - right.frame.sequence);
    for (const { frame, place } of overlapping) {
      if (frame.sequence >= limit || frame.sequence < nextSequence) continue;
      nextSequence = frame.sequence + 1;
      options.onFrame(frame, place);
    }
    overlapping = overlapping.filter(({ frame }) => frame.sequence >= limit);
  }

  for (const [index, { number, path }] of found.entries()) {
    const { segment, frames, gaps } = await readSegment(options, number, path);
    for (const [from, to] of gaps) damage.push({ path, from, to });
    segments.push(segment);
    for (const located of frames) {
      if (located.frame.kind === HEADER_KIND) options.onHeader?.(located.frame.body);
      else overlapping.push(located);
      // A header's sequence is that of the frame after it, which may be lost: its number was given away all the same.
      highest = Math.max(highest, located.frame.sequence - (located.frame.kind === HEADER_KIND ? 1 : 0));
    }
    handOver(Math.min(...found.slice(index + 1).map((later) => later.firstSequence)));
  }
  await proveNewest(options, segments);
  return { segments, nextNumber: (found.at(-1)?.number ?? 0) + 1, nextSequence: Math.max(nextSequence, highest + 1), damage };
}

/**
 * Writes the newest bytes once more. What a sync failed for may still be read, from the cache alone, and no later sync would write
 * it: a process that was killed before it had written it again leaves its successor with bytes that look durable and are not.
 */
async function proveNewest({ disk }: RecoveryOptions, segments: readonly Segment[]): Promise<void> {
  let provenBytes = 0;
  for (const { path, size } of segments.toReversed()) {
    if (provenBytes >= UNPROVEN_BYTES) return;
    provenBytes += size;
    await disk.rewrite(path, await disk.readFile(path));
  }
}

type Located = { readonly frame: Frame; readonly place: Place };
type Found = { readonly number: number; readonly path: string; readonly firstSequence: number };

/** Segments by number, made durable: a killed process may have written what it never synced, and all that is read counts as durable. */
async function findSegments({ disk, directory }: RecoveryOptions): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of await disk.list(directory)) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const path = join(directory, name);
    const file = await disk.open(path);
    try {
      await file.sync();
      const start = await file.read(0, frameBytes(MAX_BODY_BYTES));
      const first = readFrame(start, 0) ?? firstFrame(await disk.readFile(path));
      found.push({ number, path, firstSequence: first?.sequence ?? Number.POSITIVE_INFINITY });
    } finally {
      await file.close();
    }
  }
  await disk.syncDirectory(directory);
  return found.sort((left, right) => left.number - right.number);
}

/** The first frame that can be read in a segment whose beginning cannot. */
function firstFrame(bytes: Buffer): Frame | null {
  const position = findFrame(bytes, 0);
  return position === -1 ? null : readFrame(bytes, position);
}

async function readSegment(options: RecoveryOptions, number: number, path: string) {
  const bytes = await options.disk.readFile(path);
  const segment = createSegment(number, path, bytes.length, null);
  const frames: Located[] = [];
  const { gaps, end } = scan(bytes, (frame, position) => {
    frames.push({ frame, place: { segment, position, length: frameBytes(frame.body.length), sequence: frame.sequence } });
  });
  if (gaps.length > 0) await setAside(options, segment, gaps);
  if (end < bytes.length) {
    options.log.warn({ path, bytes: bytes.length - end }, 'cut a torn tail');
    segment.size = end;
    await options.disk.truncate(path, end).catch((error: unknown) => options.log.warn({ path, error }, 'could not cut the torn tail'));
  }
  return { segment, frames, gaps };
}

/** Hands over all readable frames; `gaps` are unreadable runs with a frame after them, `end` is the end of the last frame. */
function scan(
  bytes: Buffer,
  onFrame: (frame: Frame, position: number) => void,
): { readonly gaps: [number, number][]; readonly end: number } {
  const gaps: [number, number][] = [];
  let position = 0;
  while (position < bytes.length) {
    const frame = readFrame(bytes, position);
    if (frame !== null) {
      onFrame(frame, position);
      position += frameBytes(frame.body.length);
      continue;
    }
    const next = findFrame(bytes, position + 1);
    if (next === -1) break;
    gaps.push([position, next]);
    position = next;
  }
  return { gaps, end: position };
}

async function setAside({ disk, directory, log }: RecoveryOptions, segment: Segment, gaps: readonly [number, number][]): Promise<void> {
  const folder = join(directory, 'damaged');
  const copy = join(folder, `${segment.number}.segment`);
  log.error({ path: segment.path, gaps, copy }, 'a segment is damaged in the middle: what can be read is kept, a copy is set aside');
  await disk.makeDirectory(folder);
  await disk.copy(segment.path, copy);
}
