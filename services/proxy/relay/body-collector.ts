import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';

/** Collects a whole answer up to a bound. */
export class BodyCollector {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when the bound is passed; what came before is dropped. */
  push(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#chunks = [];
      return false;
    }
    this.#chunks.push(chunk);
    return true;
  }

  bytes(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#bytes);
  }
}

type Decoder = (body: Buffer, options: { maxOutputLength: number }, done: (error: Error | null, plain: Buffer) => void) => void;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotliDecompress],
  ['zstd', zstdDecompress],
]);

/**
 * The plain bytes of a body that a provider compressed although it was asked not to; null when they cannot be had within the bound.
 * @param encoding the provider's `content-encoding`, or null.
 */
export function decodeBody(body: Buffer, encoding: string | null, maxBytes: number, done: (plain: Buffer | null) => void): void {
  const name = encoding?.trim().toLowerCase() ?? 'identity';
  if (name === 'identity' || name === '') {
    done(body);
    return;
  }
  const decoder = DECODERS.get(name);
  if (decoder === undefined) {
    done(null);
    return;
  }
  decoder(body, { maxOutputLength: maxBytes }, (error, plain) => done(error === null ? plain : null));
}
