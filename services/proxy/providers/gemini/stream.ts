import { parseExactJson } from '../../body/exact-json.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import type { AnswerSink, AnswerStreamReader } from '../../conversation/dialect.ts';
import { EventReader } from '../event-stream/event-reader.ts';
import type { AnswerFacts } from '../provider.ts';
import { GeminiAnswerReader } from './answer-reader.ts';
import { failedAnswer, readGoogleError } from './failure.ts';

/** Reads a stream of `streamGenerateContent?alt=sse`. Nothing in it says that it is over: it is when the connection ends and every choice has ended. */
export class GeminiStreamReader implements AnswerStreamReader {
  readonly #sink: AnswerSink;
  readonly #events: EventReader;
  readonly #answer: GeminiAnswerReader;
  #over = false;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
    this.#answer = new GeminiAnswerReader(
      (event) => sink.event(event),
      (part) => sink.notCarried(part),
    );
    this.#events = new EventReader((data) => this.#read(data));
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    if (!this.#events.push(chunk) && !this.#over) {
      this.#over = true;
      this.#sink.broken();
    }
  }

  end(): boolean {
    if (this.#over) return true;
    this.#events.end();
    if (this.#over) return true;
    if (!this.#answer.complete()) return false;
    this.#over = true;
    this.#answer.end();
    this.#sink.completed();
    return true;
  }

  facts(): AnswerFacts {
    return this.#answer.facts();
  }

  #read(data: string): void {
    if (this.#over) return;
    const chunk = parseFields(data);
    if (chunk === null) return;
    if (isFields(chunk.error)) {
      this.#over = true;
      this.#sink.failed(readGoogleError(chunk.error));
      return;
    }
    this.#answer.read(chunk, data.includes('"args"') ? parseExactJson(data) : chunk, data);
    const failure = this.#answer.failure();
    if (failure === null) return;
    this.#over = true;
    this.#sink.failed(failedAnswer(failure));
  }
}
