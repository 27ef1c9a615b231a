import type { AnswerFacts, ProviderRefusal, StreamReader, StreamSink } from '../providers/provider.ts';
import type { AnswerEvent } from './answer-event.ts';
import type { AnswerSink, AnswerStreamReader, AnswerStreamWriter, ProviderDialect } from './dialect.ts';

/**
 * A provider's stream on its way into the dialect of the application. What comes of one read is one write, so that a chunk of many events costs one.
 */
export class TranslatedStream implements StreamReader, AnswerSink {
  readonly #writer: AnswerStreamWriter;
  readonly #reader: AnswerStreamReader;
  readonly #sink: StreamSink;
  /** Of the read under way. */
  #written = '';

  constructor(provider: ProviderDialect, writer: AnswerStreamWriter, sink: StreamSink) {
    this.#writer = writer;
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

  completed(): void {
    const ending = this.#written + this.#writer.end();
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
