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
  return { number, path, size, file, live: 0, freeAfter: 0, moved: [] };
}

export function segmentName(number: number): string {
  return `${String(number).padStart(12, '0')}.segment`;
}

/** Number of a segment by its file name, or null when the name is none. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{12})\.segment$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Where the bytes are now, moves followed. */
export function resolvePlace(place: Place): { readonly segment: Segment; readonly position: number } {
  let { segment, position }: { segment: Segment; position: number } = place;
  for (;;) {
    const move = segment.moved.findLast((candidate) => position >= candidate.from && position < candidate.to);
    if (move === undefined) return { segment, position };
    position = move.at + (position - move.from);
    segment = move.segment;
  }
}
