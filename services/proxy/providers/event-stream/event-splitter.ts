const LF = 0x0a;
const CR = 0x0d;
/** Largest single event; images inside a stream are the largest seen, at a few MiB. */
export const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/**
 * Cuts a byte stream into runs of whole server-sent events, wherever the reads cut it: an event ends with an empty line, and
 * lines end with LF or CRLF. Keeps the bytes of an event that is not complete yet; within one read it copies nothing.
 */
export class EventSplitter {
  #carry: Buffer[] = [];
  #carryBytes = 0;
  /** The last two bytes before the current read, to recognize an empty line across reads. */
  #last = 0;
  #lastButOne = 0;

  /** The whole events that are complete with this read, or null when none is. */
  push(chunk: Buffer): Buffer | null {
    const end = this.#lastEventEnd(chunk);
    if (chunk.length > 0) {
      this.#lastButOne = chunk.length > 1 ? (chunk[chunk.length - 2] ?? 0) : this.#last;
      this.#last = chunk[chunk.length - 1] ?? 0;
    }
    if (end === 0) {
      this.#keep(chunk);
      return null;
    }
    const head = end === chunk.length ? chunk : chunk.subarray(0, end);
    const run = this.#carryBytes === 0 ? head : Buffer.concat([...this.#carry, head], this.#carryBytes + end);
    this.#carry = [];
    this.#carryBytes = 0;
    if (end < chunk.length) this.#keep(chunk.subarray(end));
    return run;
  }

  /** Whether the event under way is larger than any event may be. */
  overflowed(): boolean {
    return this.#carryBytes > MAX_EVENT_BYTES;
  }

  /** What is left of an event that did not end, once nothing more comes. */
  rest(): Buffer {
    return Buffer.concat(this.#carry, this.#carryBytes);
  }

  #keep(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#carry.push(chunk);
    this.#carryBytes += chunk.length;
  }

  /** Offset after the last empty line in this read; 0 = there is none. */
  #lastEventEnd(chunk: Buffer): number {
    let at = chunk.lastIndexOf(LF);
    while (at >= 0) {
      const before = this.#byteAt(chunk, at - 1);
      if (before === LF || (before === CR && this.#byteAt(chunk, at - 2) === LF)) return at + 1;
      if (at === 0) return 0;
      at = chunk.lastIndexOf(LF, at - 1);
    }
    return 0;
  }

  #byteAt(chunk: Buffer, index: number): number {
    if (index >= 0) return chunk[index] ?? 0;
    return index === -1 ? this.#last : this.#lastButOne;
  }
}

/** Offset after the event that starts at `start` in a run of whole events. */
export function eventEnd(run: Buffer, start: number): number {
  let lineStart = start;
  for (;;) {
    const at = run.indexOf(LF, lineStart);
    if (at < 0) return run.length;
    // An empty line ends the event, unless nothing stood before it.
    if (at === lineStart || (at === lineStart + 1 && run[lineStart] === CR)) return at + 1;
    lineStart = at + 1;
  }
}

/** The data of one event: its `data:` lines without the field name and one optional space; null for comments and bare fields. */
export function eventData(event: Buffer): Buffer | null {
  let data: Buffer | null = null;
  let lineStart = 0;
  while (lineStart < event.length) {
    const newline = event.indexOf(LF, lineStart);
    const lineEnd = newline < 0 ? event.length : newline;
    const textEnd = lineEnd > lineStart && event[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (isDataLine(event, lineStart, textEnd)) {
      const valueStart = event[lineStart + 5] === 0x20 ? lineStart + 6 : lineStart + 5;
      const value = event.subarray(Math.min(valueStart, textEnd), textEnd);
      data = data === null ? value : Buffer.concat([data, NEWLINE, value]);
    }
    lineStart = lineEnd + 1;
  }
  return data;
}

const NEWLINE = Buffer.from('\n');

function isDataLine(event: Buffer, start: number, end: number): boolean {
  return (
    end - start >= 5 &&
    event[start] === 0x64 &&
    event[start + 1] === 0x61 &&
    event[start + 2] === 0x74 &&
    event[start + 3] === 0x61 &&
    event[start + 4] === 0x3a
  );
}
