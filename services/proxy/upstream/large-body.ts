import { LARGE_BYTES } from '../body/sent-body.ts';

/** Several times what a connection keeps before it says that it is full, so that the next bit is asked for when this one has left. */
const BIT_BYTES = 256 * 1024;

/**
 * A large body bit by bit: handed over whole, a connection with TLS would hold all of it once more. When the last bit has left, its memory is given back at
 * once, since uploads that wait for the garbage collector add up.
 *
 * That is safe because undici asks for a bit when the connection has drained, hence the system has every byte of those before it, or is closed. A bit too
 * small to fill the connection is no reason to wait, and goes as a copy. One that is given up ends here and is left to the collector.
 */
export function* bitsOf(pieces: readonly Buffer[]): Generator<Buffer> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += BIT_BYTES) {
      const bit = piece.subarray(at, at + BIT_BYTES);
      yield bit.length === BIT_BYTES ? bit : Buffer.from(bit);
    }
  }
  for (const { buffer } of pieces) if (buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE_BYTES) buffer.transfer(0);
}
