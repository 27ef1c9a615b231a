import type { Fields } from '../../body/json-fields.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import { EventSplitter, eventData, eventEnd } from '../event-stream/event-splitter.ts';
import type { AnswerFacts, StreamReader, StreamSink } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import { MessageReader } from './message-reader.ts';
import { rawUsageOfStream } from './raw-usage.ts';

/** Begins the types of the events that tell usage and the end. In a text its quotes would be escaped. */
const MESSAGE_EVENT = Buffer.from('"message_');
const ERROR = Buffer.from('"error"');
const END_OF_EVENT = Buffer.from('\n\n');
const STOP_EVENT = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n');
/** Reads that came before the message began; more are dropped, since a ping says nothing. */
const MAX_HELD = 64;

/**
 * Reads a stream of Anthropic's while its bytes pass unchanged to an application of the same dialect: looks only for the two events that tell its usage,
 * and for its end. Runs of events in which a native search finds none of them are not looked at.
 */
export class NativeMessageStream implements StreamReader {
  readonly #splitter = new EventSplitter();
  readonly #sink: StreamSink;
  readonly #message = new MessageReader(
    () => {},
    () => {},
  );
  /** What comes before the message begins waits: the head of the answer goes out with its first event, which may be an error. */
  #held: Buffer[] = [];
  #startData: string | null = null;
  #deltaData: string | null = null;
  #over = false;

  constructor(sink: StreamSink) {
    this.#sink = sink;
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
    if (!this.#message.isFinished) return false;
    this.#over = true;
    this.#sink.completed(STOP_EVENT);
    return true;
  }

  facts(): AnswerFacts {
    return this.#message.facts(rawUsageOfStream(this.#startData, this.#deltaData));
  }

  #read(run: Buffer): void {
    const matters = this.#startData === null || run.includes(MESSAGE_EVENT) || run.includes(ERROR);
    for (let start = 0; matters && start < run.length; ) {
      const end = eventEnd(run, start);
      const data = eventData(run.subarray(start, end));
      const event = data !== null && (data.includes(MESSAGE_EVENT) || data.includes(ERROR)) ? parseFields(data) : null;
      if (event?.type === 'message_stop' || event?.type === 'error') {
        this.#over = true;
        this.#pass(run.subarray(0, start));
        if (event.type === 'error') this.#sink.failed(run.subarray(start, end), readErrorMember(event.error, true));
        else this.#sink.completed(run.subarray(start, end));
        return;
      }
      if (event !== null && data !== null) this.#note(event, data);
      start = end;
    }
    this.#pass(run);
  }

  #note(event: Fields, data: Buffer): void {
    if (event.type === 'message_start') {
      this.#startData = data.toString('utf8');
      if (isFields(event.message)) this.#message.started(event.message);
    } else if (event.type === 'message_delta') {
      this.#deltaData = data.toString('utf8');
      this.#message.finished(isFields(event.delta) ? event.delta : {}, event.usage);
    }
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#startData === null) {
      if (this.#held.length < MAX_HELD) this.#held.push(bytes);
      return;
    }
    for (const held of this.#held) this.#sink.pass(held);
    this.#held = [];
    this.#sink.pass(bytes);
  }
}
