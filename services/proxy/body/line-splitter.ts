const LINE_END = 0x0a;

/** Takes a text that comes in pieces apart into its lines, each within a bound. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that are whole by now, with their ends; null stands for one that is longer than the bound. */
  push(chunk: Buffer): (Buffer | null)[] {
    const lines: (Buffer | null)[] = [];
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_END, from) + 1;
      if (end === 0) break;
      lines.push(this.#take(chunk.subarray(from, end)));
      from = end;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  /** What came behind the last line end, once nothing more comes; as a line. */
  rest(): Buffer | null {
    return this.#take(Buffer.alloc(0));
  }

  /** Whether the line in hand is longer than the bound already. */
  get isOver(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.isOver) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #take(last: Buffer): Buffer | null {
    this.#keep(last);
    const [only] = this.#parts;
    const line = this.isOver ? null : this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}
