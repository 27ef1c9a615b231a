import { answerNotCarriedComment } from '../answer/warnings.ts';
import type { AnswerFacts, ProviderRefusal, StreamReader, StreamSink } from '../providers/provider.ts';
import type { AnswerEvent } from './answer-event.ts';
import type { AnswerSink, AnswerStreamReader, AnswerStreamWriter, NotCarried, ProviderDialect } from './dialect.ts';

/**
 * A provider's stream on its way into the dialect of the application. What comes of one read is one write, so that a chunk of many events costs one.
 */
export class TranslatedStream implements StreamReader, AnswerSink {
  readonly #writer: AnswerStreamWriter;
  readonly #reader: AnswerStreamReader;
  readonly #sink: StreamSink;
  /** Of the read under way. */
  #written = '';
  /** Parts of the answer that the application's dialect has no place for. */
  #notCarried: Set<string> | null = null;

  constructor(provider: ProviderDialect, createWriter: (notCarried: NotCarried) => AnswerStreamWriter, sink: StreamSink) {
    this.#writer = createWriter((part) => this.notCarried(part));
    this.#sink = sink;
    this.#reader = provider.createStreamReader(this);
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#pass();
  }

  end(): boolean {
    const isComplete = this.#reader.end();
    this.#pass();
    return isComplete;
  }

  facts(): AnswerFacts {
    return this.#reader.facts();
  }

  event(event: AnswerEvent): void {
    this.#written += this.#writer.write(event);
  }

  notCarried(part: string): void {
    this.#notCarried ??= new Set();
    this.#notCarried.add(part);
  }

  completed(): void {
    const last = this.#writer.end();
    const told = this.#notCarried === null ? '' : answerNotCarriedComment([...this.#notCarried]);
    const ending = this.#written + told + last;
    this.#written = '';
    this.#sink.completed(Buffer.from(ending, 'utf8'));
  }

  failed(refusal: ProviderRefusal): void {
    this.#pass();
    this.#sink.failed(null, { ...refusal, body: null });
  }

  broken(): void {
    this.#pass();
    this.#sink.broken();
  }

  #pass(): void {
    if (this.#written === '') return;
    const bytes = Buffer.from(this.#written, 'utf8');
    this.#written = '';
    this.#sink.pass(bytes);
  }
}
