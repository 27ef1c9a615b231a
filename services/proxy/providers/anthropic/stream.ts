import { isFields, parseFields } from '../../body/json-fields.ts';
import type { AnswerSink, AnswerStreamReader } from '../../conversation/dialect.ts';
import { EventReader } from '../event-stream/event-reader.ts';
import type { AnswerFacts } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import { MessageReader } from './message-reader.ts';
import { rawUsageOfStream } from './raw-usage.ts';

/** Reads a stream of Anthropic's into the events of an answer (providers.md 3 and 6.3). What it does not know is passed over, as Anthropic asks. */
export class MessageStreamReader implements AnswerStreamReader {
  readonly #sink: AnswerSink;
  readonly #events = new EventReader((data, name) => this.#read(data, name));
  readonly #message: MessageReader;
  #startData: string | null = null;
  #deltaData: string | null = null;
  #over = false;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
    this.#message = new MessageReader(
      (event) => sink.event(event),
      (type) => sink.notCarried(type),
    );
  }

  push(chunk: Buffer): void {
    if (this.#over || this.#events.push(chunk) || this.#over) return;
    this.#over = true;
    this.#sink.broken();
  }

  end(): boolean {
    if (!this.#over) this.#events.end();
    if (this.#over) return true;
    if (!this.#message.isFinished) return false;
    this.#complete();
    return true;
  }

  facts(): AnswerFacts {
    return this.#message.facts(rawUsageOfStream(this.#startData, this.#deltaData));
  }

  #read(data: string, name: string): void {
    if (this.#over || name === 'ping') return;
    const event = parseFields(data);
    if (event === null) {
      this.#over = true;
      this.#sink.broken();
      return;
    }
    const index = typeof event.index === 'number' ? event.index : 0;
    switch (event.type) {
      case 'content_block_delta':
        if (isFields(event.delta)) this.#message.blockPiece(index, event.delta);
        break;
      case 'content_block_start':
        if (isFields(event.content_block)) this.#message.blockStarted(index, event.content_block, null);
        break;
      case 'content_block_stop':
        this.#message.blockStopped();
        break;
      case 'message_start':
        this.#startData = data;
        if (isFields(event.message)) this.#message.started(event.message);
        break;
      case 'message_delta':
        this.#deltaData = data;
        this.#message.finished(isFields(event.delta) ? event.delta : {}, event.usage);
        break;
      case 'message_stop':
        if (!this.#message.isFinished) this.#message.finished({ stop_reason: 'end_turn' }, null);
        this.#complete();
        break;
      case 'error':
        this.#over = true;
        this.#sink.failed(readErrorMember(event.error, false));
        break;
    }
  }

  #complete(): void {
    this.#over = true;
    this.#sink.completed();
  }
}
