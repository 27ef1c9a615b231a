import { join } from 'node:path';
import type { Log } from '../../runtime/log.ts';
import type { Disk } from '../disk.ts';
import type { Frame } from './frame.ts';
import { findFrame, frameBytes, MAX_BODY_BYTES, readFrame } from './frame.ts';
import type { Place, Segment } from './segment.ts';
import { createSegment, HEADER_KIND, segmentNumber } from './segment.ts';

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
 * A segment written again after a failed sync overrides every frame of older segments from its first sequence on.
 */
export async function recoverSegments(options: RecoveryOptions): Promise<RecoveredSegments> {
  const { disk } = options;
  const found = await findSegments(options);
  const damage: { path: string; from: number; to: number }[] = [];
  const segments: Segment[] = [];
  let nextSequence = 1;
  for (const [index, { number, path }] of found.entries()) {
    const bytes = await disk.readFile(path);
    const limit = Math.min(...found.slice(index + 1).map((later) => later.firstSequence));
    const segment = createSegment(number, path, bytes.length, null);
    const tail = scan(bytes, (frame, position) => {
      if (frame.kind === HEADER_KIND) {
        options.onHeader?.(frame.body);
        nextSequence = Math.max(nextSequence, Math.min(frame.sequence, limit));
      } else if (frame.sequence < limit && frame.sequence >= nextSequence) {
        nextSequence = frame.sequence + 1;
        options.onFrame(frame, { segment, position, length: frameBytes(frame.body.length), sequence: frame.sequence });
      }
    });
    for (const [from, to] of tail.gaps) damage.push({ path, from, to });
    if (tail.gaps.length > 0) await setAside(options, segment, tail.gaps);
    if (tail.end < bytes.length) {
      options.log.warn({ path, bytes: bytes.length - tail.end }, 'cut a torn tail');
      segment.size = tail.end;
      await disk.truncate(path, tail.end).catch((error: unknown) => options.log.warn({ path, error }, 'could not cut the torn tail'));
    }
    segments.push(segment);
  }
  return { segments, nextNumber: (found.at(-1)?.number ?? 0) + 1, nextSequence, damage };
}

type Found = { readonly number: number; readonly path: string; readonly firstSequence: number };

async function findSegments({ disk, directory }: RecoveryOptions): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of await disk.list(directory)) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const path = join(directory, name);
    const file = await disk.open(path);
    try {
      const header = readFrame(await file.read(0, frameBytes(MAX_BODY_BYTES)), 0);
      found.push({ number, path, firstSequence: header?.kind === HEADER_KIND ? header.sequence : Number.POSITIVE_INFINITY });
    } finally {
      await file.close();
    }
  }
  return found.sort((left, right) => left.number - right.number);
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
