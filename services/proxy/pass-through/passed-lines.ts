import { MAX_EVENT_BYTES } from '../providers/event-stream/event-splitter.ts';
import type { AnswerFacts, StreamFraming, StreamReader, StreamSink } from '../providers/provider.ts';
import type { UsageTap } from './usage-tap.ts';

const LINES_CONTENT_TYPE = 'application/x-ndjson';
const LINE_END = 0x0a;
/** How the names end of the members that tell usage. */
const COUNT = Buffer.from('_count"');

/** A stream of JSON objects, one a line; an error is one too, as Ollama writes it. */
export const LINES: StreamFraming = {
  contentType: LINES_CONTENT_TYPE,
  failure: ({ message }) => Buffer.from(`${JSON.stringify({ error: message })}\n`, 'utf8'),
};

export function isLineStream(contentType: string): boolean {
  return contentType.includes(LINES_CONTENT_TYPE);
}

/**
 * Passes a stream of lines, byte for byte, and taps what it says of its usage. Whole lines pass, so that one of ours never stands inside of another. It is
 * complete when its connection ends in order.
 */
export class PassedLines implements StreamReader {
  readonly #sink: StreamSink;
  readonly #tap: UsageTap;
  #rest: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(sink: StreamSink, tap: UsageTap) {
    this.#sink = sink;
    this.#tap = tap;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(LINE_END) + 1;
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > MAX_EVENT_BYTES) {
      this.#isOver = true;
      this.#sink.broken();
    } else if (end > 0) this.#pass(bytes.subarray(0, end));
  }

  end(inOrder: boolean): boolean {
    if (this.#isOver) return true;
    if (!inOrder) return false;
    this.#isOver = true;
    this.#look(this.#rest);
    this.#sink.completed(this.#rest);
    return true;
  }

  facts(): AnswerFacts {
    return this.#tap.facts();
  }

  #pass(lines: Buffer): void {
    this.#look(lines);
    this.#sink.pass(lines);
  }

  /** Lines without counts are not parsed. */
  #look(lines: Buffer): void {
    if (!lines.includes(COUNT)) return;
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(LINE_END, start) + 1 || lines.length;
      const line = lines.subarray(start, end);
      if (line.includes(COUNT)) this.#tap.look(line);
      start = end;
    }
  }
}
