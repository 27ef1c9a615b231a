import type { Disk, DiskFile } from '../disk.ts';
import { readFrame } from './frame.ts';
import type { Place, Segment } from './segment.ts';
import { resolvePlace } from './segment.ts';

/** Reads frames back, wherever they have been moved to. */
export interface SegmentReader {
  /** Body of a frame. @throws when its bytes are damaged or cannot be read. */
  read(place: Place): Promise<Buffer>;
  /** Up to `length` bytes that begin with the frame at this position, whole frames or not. @throws when they cannot be read. */
  readAt(segment: Segment, position: number, length: number): Promise<Buffer>;
}

export function createSegmentReader(disk: Disk): SegmentReader {
  async function openFile(segment: Segment): Promise<DiskFile> {
    if (segment.file !== null) return segment.file;
    // Readers that meet here share one descriptor.
    segment.opening ??= disk.open(segment.path).finally(() => {
      segment.opening = null;
    });
    segment.file = await segment.opening;
    return segment.file;
  }

  return {
    async read(place) {
      const { segment, position } = resolvePlace(place.segment, place.position);
      const file = await openFile(segment);
      const frame = readFrame(await file.read(position, place.length), 0);
      if (frame === null || frame.sequence !== place.sequence) throw new Error(`Record ${place.sequence} of ${segment.path} is damaged`);
      return frame.body;
    },
    async readAt(segment, position, length) {
      const place = resolvePlace(segment, position);
      const file = await openFile(place.segment);
      return file.read(place.position, Math.min(length, place.runBytes));
    },
  };
}
