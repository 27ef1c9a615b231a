import { isFields, parseFields, textOf } from '../../body/json-fields.ts';
import { NativeMessageStream } from '../anthropic/native-stream.ts';
import type { Frame } from '../event-stream/frame-reader.ts';
import { FrameReader } from '../event-stream/frame-reader.ts';
import type { AnswerFacts, ProviderRefusal, StreamReader, StreamSink } from '../provider.ts';
import { readException } from './failure.ts';

/** How the data of an event of Anthropic's begin. */
const TYPE = /^\{"type":"([a-z_]+)"/;

/**
 * Reads a stream of InvokeModelWithResponseStream for an application that speaks Claude's own dialect: each frame holds the data of one event, which pass to
 * the byte. What comes of one read is one write.
 */
export class InvokedMessageStream implements StreamReader, StreamSink {
  readonly #sink: StreamSink;
  readonly #frames = new FrameReader((frame) => this.#read(frame));
  readonly #message = new NativeMessageStream(this);
  /** Events of the read under way. */
  #events = '';
  #isOver = false;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const isStream = this.#frames.push(chunk);
    this.#flush();
    if (!isStream) this.broken();
  }

  end(): boolean {
    return this.#isOver || this.#message.end();
  }

  facts(): AnswerFacts {
    return this.#message.facts();
  }

  pass(bytes: Buffer): void {
    this.#sink.pass(bytes);
  }

  completed(ending: Buffer): void {
    this.#isOver = true;
    this.#sink.completed(ending);
  }

  failed(event: Buffer | null, refusal: ProviderRefusal): void {
    this.#isOver = true;
    this.#sink.failed(event, refusal);
  }

  broken(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.broken();
  }

  #read({ kind, name, payload }: Frame): void {
    if (this.#isOver) return;
    if (kind !== 'event') {
      this.#flush();
      // The error may have come as an event before.
      if (!this.#isOver) this.failed(null, { ...readException(name, payload), body: null });
      return;
    }
    const chunk = parseFields(payload);
    const encoded = chunk === null ? null : textOf(chunk.bytes);
    if (encoded === null) return;
    const data = Buffer.from(encoded, 'base64').toString('utf8');
    this.#events += `event: ${typeOf(data)}\ndata: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
  }

  #flush(): void {
    if (this.#events === '') return;
    const events = Buffer.from(this.#events, 'utf8');
    this.#events = '';
    this.#message.push(events);
  }
}

function typeOf(data: string): string {
  const [, type] = TYPE.exec(data) ?? [];
  if (type !== undefined) return type;
  const event = parseFields(data);
  return (isFields(event) ? textOf(event.type) : null) ?? 'message';
}
