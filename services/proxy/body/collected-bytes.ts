/** Until what arrived is so large a part of what was announced, no room is kept for the rest: an announcement costs nothing. */
const BELIEVED_SHARE = 8;
/** Memory that is not worth being let go of at once. */
const SMALL_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * The bytes of one body while it arrives, in one piece at every moment: each chunk is copied to its place and let go of at once, since chunks that wait for
 * the garbage collector are a second copy of a body of megabytes. What comes as a single chunk is that chunk.
 */
export class CollectedBytes {
  /** What the sender said that will come; 0: nothing. */
  readonly #announced: number;
  #room: Buffer = NOTHING;
  #length = 0;

  constructor(announced: number) {
    this.#announced = announced;
  }

  get length(): number {
    return this.#length;
  }

  /** All that came so far. */
  get bytes(): Buffer {
    return this.#room.length === this.#length ? this.#room : this.#room.subarray(0, this.#length);
  }

  /** @param chunk whose memory nobody else uses from now on. */
  add(chunk: Buffer): void {
    if (this.#length === 0) {
      this.#room = chunk;
      this.#length = chunk.length;
      return;
    }
    const length = this.#length + chunk.length;
    if (length > this.#room.length) this.#grow(length);
    chunk.copy(this.#room, this.#length);
    this.#length = length;
    free(chunk);
  }

  /** Forgets all of it. */
  clear(): void {
    this.#room = NOTHING;
    this.#length = 0;
  }

  #grow(least: number): void {
    const isNear = least <= this.#announced && this.#announced <= least * BELIEVED_SHARE;
    const room = Buffer.allocUnsafeSlow(roomFor(isNear ? this.#announced : least * 2));
    this.#room.copy(room, 0, 0, this.#length);
    free(this.#room);
    this.#room = room;
  }
}

/** Powers of two, so that memory that was given back fits the next body: what is not written to is not there. */
function roomFor(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** Gives memory back without waiting for the garbage collector, unless something else may lie in it. */
function free({ buffer, length }: Buffer): void {
  if (length >= SMALL_BYTES && length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
