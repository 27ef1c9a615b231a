import { isFields, textOf } from '../../../body/json-fields.ts';
import { EventSplitter, eventData, eventEnd } from '../../event-stream/event-splitter.ts';
import type { AnswerFacts, StreamReader, StreamSink } from '../../provider.ts';
import { NO_FACTS } from '../../provider.ts';
import { readErrorMember } from '../failure.ts';
import { outerMembers } from '../outer-members.ts';
import type { Reading } from '../reading.ts';
import { rawUsageOf } from '../response.ts';
import { readMediaUsage } from './media-usage.ts';

/** What stands in events that have to be understood; a picture or a sound has no quotes in it. */
const TELLING = ['"usage"', '"error"', '.done"', '.completed"', '[DONE]'].map((text) => Buffer.from(text));
/** The member of an event that may be megabytes. */
const PICTURE = 'b64_json';
const MAX_DONE_BYTES = 16;
const NOTHING = Buffer.alloc(0);

/**
 * Reads the events in which pictures, sound or a transcript come (`image_generation.*`, `image_edit.*`, `speech.audio.*`, `transcript.text.*`) while they pass unchanged. The
 * last one has the usage; it is kept back until the connection ends or `[DONE]` comes, so that it goes out when it is in the books.
 */
export class MediaStreamReader implements StreamReader {
  readonly #splitter = new EventSplitter();
  readonly #sink: StreamSink;
  readonly #reading: Reading;
  /** Pictures asked for at once, each of which has a last event. */
  readonly #choices: number;
  #finished = 0;
  #over = false;
  /** From the event that may be the last. */
  #kept: Buffer = NOTHING;
  #facts: AnswerFacts = { ...NO_FACTS, usageFlags: ['usage_missing'] };

  constructor(choices: number, sink: StreamSink, reading: Reading) {
    this.#choices = choices;
    this.#sink = sink;
    this.#reading = reading;
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

  end(inOrder: boolean): boolean {
    if (this.#over) return true;
    const rest = this.#splitter.rest();
    if (rest.length > 0) this.#read(rest);
    if (this.#over) return true;
    if (this.#kept.length === 0 || (!inOrder && this.#finished < this.#choices)) return false;
    this.#over = true;
    this.#sink.completed(this.#kept);
    return true;
  }

  facts(): AnswerFacts {
    return this.#facts;
  }

  #read(run: Buffer): void {
    if (!TELLING.some((text) => run.includes(text))) {
      this.#pass(run);
      return;
    }
    for (let start = 0; start < run.length && !this.#over; ) {
      const end = eventEnd(run, start);
      this.#readEvent(run.subarray(start, end));
      start = end;
    }
  }

  #readEvent(event: Buffer): void {
    const data = eventData(event);
    if (data === null || !TELLING.some((text) => data.includes(text))) {
      this.#pass(event);
      return;
    }
    if (data.length < MAX_DONE_BYTES && data.toString('latin1').trim() === '[DONE]') {
      this.#over = true;
      this.#sink.completed(Buffer.concat([this.#kept, event]));
      return;
    }
    const fields = outerMembers(data, PICTURE);
    const type = textOf(fields?.type);
    if (fields !== null && (isFields(fields.error) || type === 'error')) {
      this.#over = true;
      if (this.#kept.length > 0) this.#sink.pass(this.#kept);
      this.#sink.failed(event, readErrorMember(fields.error ?? { ...fields, type: null }, null, this.#reading.meaningOf));
      return;
    }
    if (isFields(fields?.usage)) this.#facts = { ...readMediaUsage(fields.usage, this.#reading), rawUsage: rawUsageOf(data) };
    const isLast = type?.endsWith('.done') === true || type?.endsWith('.completed') === true;
    if (!isLast) this.#pass(event);
    else {
      this.#flush();
      this.#finished += 1;
      this.#kept = event;
    }
  }

  #pass(bytes: Buffer): void {
    this.#flush();
    this.#sink.pass(bytes);
  }

  #flush(): void {
    if (this.#kept.length > 0) this.#sink.pass(this.#kept);
    this.#kept = NOTHING;
  }
}
