import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { AnswerSink, AnswerStreamReader } from '../../conversation/dialect.ts';
import type { Frame } from '../event-stream/frame-reader.ts';
import { FrameReader } from '../event-stream/frame-reader.ts';
import type { AnswerFacts, ProviderRefusal } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { AnswerContent, finishedBy } from './answer-content.ts';
import { failureOf, readException } from './failure.ts';
import { closingEvents, factsOf } from './response.ts';

/** Reads a stream of ConverseStream. It is complete with `metadata`, which has the usage and comes behind `messageStop`. */
export class ConverseStreamReader implements AnswerStreamReader {
  readonly #sink: AnswerSink;
  readonly #frames = new FrameReader((frame) => this.#read(frame));
  readonly #content = new AnswerContent((event) => this.#tell(event));
  #isStarted = false;
  /** Whether the model said that it is at its end. */
  #isStopped = false;
  #isOver = false;
  /** Set where the model stopped without an answer; what it used is told all the same. */
  #failure: ProviderRefusal | null = null;
  #facts: AnswerFacts = { ...NO_FACTS, usageFlags: ['usage_missing'] };

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    if (this.#isOver || this.#frames.push(chunk) || this.#isOver) return;
    this.#isOver = true;
    this.#sink.broken();
  }

  end(): boolean {
    if (this.#isOver) return true;
    if (!this.#isStopped) return false;
    this.#complete();
    return true;
  }

  facts(): AnswerFacts {
    return this.#facts;
  }

  #read({ kind, name, payload }: Frame): void {
    if (this.#isOver) return;
    if (kind !== 'event') {
      this.#isOver = true;
      this.#sink.failed(readException(name, payload));
      return;
    }
    let data: unknown;
    try {
      data = JSON.parse(payload.toString('utf8'));
    } catch {
      return;
    }
    if (!isFields(data)) return;
    const { contentBlockIndex: index, start, delta, stopReason } = data;
    if (name === 'contentBlockDelta') {
      if (isFields(delta)) this.#content.piece(index, delta);
    } else if (name === 'contentBlockStart') {
      if (isFields(start)) this.#content.begin(index, start);
    } else if (name === 'messageStart') {
      this.#start();
    } else if (name === 'messageStop') {
      this.#isStopped = true;
      this.#facts = { ...this.#facts, finishReason: textOf(stopReason) };
      this.#failure = failureOf(stopReason);
      if (this.#failure === null) this.#tell(finishedBy(stopReason));
    } else if (name === 'metadata') {
      this.#facts = factsOf(data, payload, this.#facts.finishReason);
      for (const event of closingEvents(this.#facts)) this.#tell(event);
      if (this.#isStopped) this.#complete();
    }
  }

  #complete(): void {
    this.#isOver = true;
    if (this.#failure === null) this.#sink.completed();
    else this.#sink.failed(this.#failure);
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#sink.event({ kind: 'started', id: null, model: null, usage: null });
  }

  #tell(event: AnswerEvent): void {
    this.#start();
    this.#sink.event(event);
  }
}
