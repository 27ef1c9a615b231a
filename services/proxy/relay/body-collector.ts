import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';

/** Collects a whole answer up to a bound. */
export class BodyCollector {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

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

  /**
   * Its plain bytes, now or once they are unpacked; null when they cannot be had within the bound.
   * @param encoding the provider's `content-encoding`, though it was asked for none.
   * @param maxPlainBytes once unpacked.
   */
  plain(encoding: string | undefined, maxPlainBytes: number, done: (plain: Buffer | null) => void): void {
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#bytes);
    const name = encoding?.trim().toLowerCase() ?? '';
    const decoder = DECODERS.get(name);
    if (name === 'identity' || name === '') done(body);
    else if (decoder === undefined) done(null);
    else decoder(body, { maxOutputLength: maxPlainBytes }, (error, plain) => done(error === null ? plain : null));
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
