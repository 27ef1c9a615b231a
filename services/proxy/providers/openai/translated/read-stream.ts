import { isFields, parseFields } from '../../../body/json-fields.ts';
import type { AnswerSink, AnswerStreamReader } from '../../../conversation/dialect.ts';
import { EventReader } from '../../event-stream/event-reader.ts';
import type { AnswerFacts } from '../../provider.ts';
import { readErrorMember } from '../failure.ts';
import type { Reading } from '../reading.ts';
import { StreamFacts } from '../stream-facts.ts';
import { accountOf } from './account.ts';
import { CompletionReader } from './completion-reader.ts';

/** Reads a stream of chat completion chunks into events. */
export class ChatEventReader implements AnswerStreamReader {
  readonly #sink: AnswerSink;
  readonly #reading: Reading;
  readonly #events: EventReader;
  readonly #completion: CompletionReader;
  readonly #facts = new StreamFacts();
  #isOver = false;

  constructor(sink: AnswerSink, reading: Reading) {
    this.#sink = sink;
    this.#reading = reading;
    this.#completion = new CompletionReader((event) => sink.event(event));
    this.#events = new EventReader((data) => this.#read(data));
  }

  push(chunk: Buffer): void {
    if (this.#isOver || this.#events.push(chunk) || this.#isOver) return;
    this.#isOver = true;
    this.#sink.broken();
  }

  /** Some never say `[DONE]`: an answer whose every choice ended is whole without. */
  end(): boolean {
    if (!this.#isOver) this.#events.end();
    if (!this.#isOver && this.#completion.isFinished) this.#complete();
    return this.#isOver;
  }

  facts(): AnswerFacts {
    return this.#facts.read(this.#reading);
  }

  #read(data: string): void {
    if (this.#isOver) return;
    if (data.trim() === '[DONE]') {
      this.#complete();
      return;
    }
    const chunk = parseFields(data);
    if (chunk === null) return;
    this.#facts.noteUsage(chunk, data);
    this.#facts.noteAnswer(chunk);
    const { error } = chunk;
    if (isFields(error) || (typeof error === 'string' && error !== '')) {
      this.#isOver = true;
      this.#sink.failed(readErrorMember(error, null, this.#reading.meaningOf));
      return;
    }
    this.#completion.take(chunk, 'delta');
  }

  #complete(): void {
    this.#isOver = true;
    this.#completion.finish();
    for (const event of accountOf(this.facts())) this.#sink.event(event);
    this.#sink.completed();
  }
}
