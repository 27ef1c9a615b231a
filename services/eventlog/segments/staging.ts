import { frameBytes, writeFrame } from './frame.ts';

const FIRST_BYTES = 64 * 1024;

/**
 * Frames gathered for one write. It grows as needed and is handed over whole, so that what was written can be kept until it
 * is synced without a copy.
 */
export interface Staging {
  readonly length: number;
  /** Adds a frame; returns its position within what is staged. */
  add(kind: number, sequence: number, body: Buffer): number;
  /** The bytes staged so far, which become the caller's; staging starts anew. */
  take(): Buffer;
}

export function createStaging(): Staging {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let length = 0;

  return {
    get length() {
      return length;
    },
    add(kind, sequence, body) {
      const needed = length + frameBytes(body.length);
      if (needed > buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2));
        buffer.copy(grown, 0, 0, length);
        buffer = grown;
      }
      const at = length;
      length = writeFrame(buffer, at, kind, sequence, body);
      return at;
    },
    take() {
      // A small write is copied out, so that the buffer is not allocated anew at every turn of a quiet process.
      const bytes = length * 4 < buffer.length ? Buffer.from(buffer.subarray(0, length)) : buffer.subarray(0, length);
      if (bytes.buffer === buffer.buffer) buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
      length = 0;
      return bytes;
    },
  };
}
