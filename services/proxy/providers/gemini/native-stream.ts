import { isFields, parseFields } from '../../body/json-fields.ts';
import { EventSplitter, eventData, eventEnd } from '../event-stream/event-splitter.ts';
import type { AnswerFacts, StreamReader, StreamSink } from '../provider.ts';
import { GeminiAnswerReader } from './answer-reader.ts';
import { readGoogleError } from './failure.ts';

/** In a text the quotes would be escaped. */
const MATTERS = ['"finishReason"', '"blockReason"', '"error"'].map((name) => Buffer.from(name));
const END_OF_EVENT = Buffer.from('\r\n\r\n');
const NOTHING_MORE = Buffer.alloc(0);

/**
 * Reads a stream of Gemini's while its bytes pass unchanged to an application of the same dialect. Each event repeats the usage so far: of those in between
 * only the last is kept, and looked at when nothing more comes.
 */
export class NativeGeminiStream implements StreamReader {
  readonly #splitter = new EventSplitter();
  readonly #sink: StreamSink;
  readonly #answer = new GeminiAnswerReader(
    () => {},
    () => {},
  );
  /** With several choices every event is read, because only then is it known which there are. */
  readonly #readsAll: boolean;
  #unread: Buffer | null = null;
  #started = false;
  #over = false;

  constructor(sink: StreamSink, choices: number) {
    this.#sink = sink;
    this.#readsAll = choices > 1;
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    const run = this.#splitter.push(chunk);
    if (run !== null) this.#read(run);
    if (!this.#over && this.#splitter.overflowed()) {
      this.#over = true;
      this.#sink.broken();
    }
  }

  end(): boolean {
    if (this.#over) return true;
    const rest = this.#splitter.rest();
    // A last event may lack its empty line; it counts when it is whole.
    const data = rest.length === 0 ? null : eventData(rest);
    if (data !== null && parseFields(data) !== null) this.#read(Buffer.concat([rest, END_OF_EVENT]));
    if (this.#over) return true;
    if (!this.#answer.complete()) return false;
    this.#over = true;
    this.#sink.completed(NOTHING_MORE);
    return true;
  }

  facts(): AnswerFacts {
    this.#catchUp();
    return this.#answer.facts();
  }

  #read(run: Buffer): void {
    if (this.#started && !this.#readsAll && !MATTERS.some((name) => run.includes(name))) {
      this.#unread = run;
      this.#sink.pass(run);
      return;
    }
    this.#catchUp();
    for (let start = 0; start < run.length; ) {
      const end = eventEnd(run, start);
      const data = eventData(run.subarray(start, end));
      const chunk = data === null ? null : parseFields(data);
      if (chunk !== null && isFields(chunk.error)) {
        this.#over = true;
        if (start > 0) this.#sink.pass(run.subarray(0, start));
        this.#sink.failed(run.subarray(start, end), readGoogleError(chunk.error));
        return;
      }
      if (chunk !== null && data !== null) {
        this.#started = true;
        this.#answer.read(chunk, chunk, data.toString('utf8'));
      }
      start = end;
    }
    this.#sink.pass(run);
  }

  /** Reads the last event of what passed unread: its usage is of all before it. */
  #catchUp(): void {
    const run = this.#unread;
    this.#unread = null;
    if (run === null) return;
    for (let start = 0; start < run.length; ) {
      const end = eventEnd(run, start);
      const data = end < run.length ? null : eventData(run.subarray(start, end));
      const chunk = data === null ? null : parseFields(data);
      if (chunk !== null && data !== null) this.#answer.read(chunk, chunk, data.toString('utf8'));
      start = end;
    }
  }
}
