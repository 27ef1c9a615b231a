import type { DiskFile } from '../disk.ts';

/** Kind of a segment's first frame; its owner's kinds are other numbers. Its sequence is that of the first frame after it. */
export const HEADER_KIND = 0;

/** One file of a segmented log, in memory. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes written or staged. */
  size: number;
  /** Open file, or null when not opened since recovery. */
  file: DiskFile | null;
  /** The file while it is being opened to be read. */
  opening: Promise<DiskFile> | null;
  /** Frames in it that are still needed. */
  live: number;
  /** It may go once everything up to this sequence is durable: what freed it must not be lost with it gone. */
  freeAfter: number;
  /** Runs of bytes that were written again elsewhere because a write or sync of this file failed. */
  readonly moved: Move[];
}

export interface Move {
  readonly from: number;
  readonly to: number;
  readonly segment: Segment;
  readonly at: number;
}

/** Where a frame stands. */
export interface Place {
  readonly segment: Segment;
  readonly position: number;
  /** Bytes of the whole frame. */
  readonly length: number;
  readonly sequence: number;
}

export function createSegment(number: number, path: string, size: number, file: DiskFile | null): Segment {
  return { number, path, size, file, opening: null, live: 0, freeAfter: 0, moved: [] };
}

/** Closes its file, also one that a reader is just opening. */
export async function closeFile(segment: Segment): Promise<void> {
  const file = (await segment.opening) ?? segment.file;
  segment.file = null;
  await file?.close();
}

export function segmentName(number: number): string {
  return `${String(number).padStart(12, '0')}.segment`;
}

/** Number of a segment by its file name, or null when the name is none. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{12})\.segment$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Where the bytes are now, moves followed; `runBytes` from there on belong together. */
export function resolvePlace(
  segment: Segment,
  position: number,
): { readonly segment: Segment; readonly position: number; readonly runBytes: number } {
  let place = { segment, position, runBytes: Number.POSITIVE_INFINITY };
  for (;;) {
    const from = place.position;
    const move = place.segment.moved.findLast((candidate) => from >= candidate.from && from < candidate.to);
    if (move === undefined) return place;
    place = { segment: move.segment, position: move.at + (from - move.from), runBytes: Math.min(place.runBytes, move.to - from) };
  }
}
