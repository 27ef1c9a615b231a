/**
 * Bytes of requests and answers that the proxy holds in memory: bodies on their way in, bodies until their call is over, whole
 * answers until the application took them. One counter for all of them, so that admission decides by one comparison.
 */
export class HeldBytes {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing more should be begun, and no body go on arriving. */
  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What one request has of them, to be let go of at once. */
export class HeldShare {
  readonly #all: HeldBytes;
  #bytes = 0;

  constructor(all: HeldBytes) {
    this.#all = all;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#all.add(bytes);
  }

  release(): void {
    this.#all.remove(this.#bytes);
    this.#bytes = 0;
  }
}
