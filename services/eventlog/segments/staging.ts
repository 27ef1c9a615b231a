import { frameBytes, writeFrame } from './frame.ts';

const SLAB_BYTES = 64 * 1024;

/**
 * Frames gathered for one write. It is handed over whole, so that what was written can be kept until it is synced without a copy.
 */
export interface Staging {
  readonly length: number;
  /** Adds a frame; returns its position within what is staged. */
  add(kind: number, sequence: number, body: Buffer): number;
  /** The bytes staged so far, which become the caller's; staging starts anew. */
  take(): Buffer;
}

/** What is staged next stands in the same memory, behind what was taken: a write of a few kilobytes is not worth memory of its own, nor a copy. */
export function createStaging(): Staging {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let start = 0;
  let end = 0;

  return {
    get length() {
      return end - start;
    },
    add(kind, sequence, body) {
      const needed = end - start + frameBytes(body.length);
      if (start + needed > slab.length) {
        const next = Buffer.allocUnsafeSlow(Math.max(2 * needed, SLAB_BYTES));
        slab.copy(next, 0, start, end);
        slab = next;
        end -= start;
        start = 0;
      }
      const at = end;
      end = writeFrame(slab, at, kind, sequence, body);
      return at - start;
    },
    take() {
      const bytes = slab.subarray(start, end);
      start = end;
      return bytes;
    },
  };
}
