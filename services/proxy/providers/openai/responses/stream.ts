import type { Fields } from '../../../body/json-fields.ts';
import { isFields, parseFields, textOf } from '../../../body/json-fields.ts';
import { jsonMembers } from '../../../body/json-members.ts';
import { EventSplitter, eventData, eventEnd } from '../../event-stream/event-splitter.ts';
import type { AnswerFacts, StreamReader, StreamSink } from '../../provider.ts';
import { NO_FACTS } from '../../provider.ts';
import { readErrorMember } from '../failure.ts';
import type { Reading } from '../reading.ts';
import { factsOfResponse } from './response.ts';

/** What stands in the events that have to be understood. Inside of a text its quotes would be escaped. */
const TELLING = ['"response.completed"', '"response.incomplete"', '"response.failed"', '"error"'].map((text) => Buffer.from(text));
/** Say only that the provider took the request: it may still refuse it, which is then an HTTP error. */
const BEGINNING: ReadonlySet<unknown> = new Set(['response.created', 'response.queued', 'response.in_progress']);
/** Events that wait for the first that says something; more of them pass. */
const MAX_BEGINNING = 16;
const END_OF_EVENT = Buffer.from('\n\n');
const NOTHING = Buffer.alloc(0);

/**
 * Reads the stream of a response while its bytes pass unchanged: named events, of which the last says how it ended and holds all of the usage. There is
 * no `[DONE]`; what comes after the end is dropped. Runs of events in which a native search finds nothing that matters are passed without being
 * looked at.
 */
export class ResponseStreamReader implements StreamReader {
  readonly #splitter = new EventSplitter();
  readonly #sink: StreamSink;
  readonly #reading: Reading;
  #over = false;
  /** Whether an event came that says something. */
  #started = false;
  #beginning: Buffer[] = [];
  #waiting = 0;
  /** The `error` event, which `response.failed` follows. */
  #errorEvent: Buffer = NOTHING;
  #error: unknown = null;
  #facts: AnswerFacts = { ...NO_FACTS, usageFlags: ['usage_missing'] };

  constructor(sink: StreamSink, reading: Reading) {
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

  end(): boolean {
    if (this.#over) return true;
    const rest = this.#splitter.rest();
    // A last event may lack its empty line; half of one is no JSON, and ends nothing.
    if (rest.length > 0) this.#read(Buffer.concat([rest, END_OF_EVENT]));
    if (!this.#over && this.#error !== null) this.#fail(NOTHING);
    return this.#over;
  }

  facts(): AnswerFacts {
    return this.#facts;
  }

  #read(run: Buffer): void {
    if (this.#started && !TELLING.some((text) => run.includes(text))) {
      this.#sink.pass(run);
      return;
    }
    let passFrom = 0;
    for (let start = 0; start < run.length; ) {
      const end = eventEnd(run, start);
      const event = run.subarray(start, end);
      const data = eventData(event);
      const fields = data === null ? null : parseFields(data);
      if (fields !== null && data !== null) {
        const type = textOf(fields.type) ?? (isFields(fields.error) ? 'error' : null);
        if (type === 'response.completed' || type === 'response.incomplete') {
          this.#over = true;
          this.#note(fields, data);
          this.#start();
          this.#passSome(run, passFrom, start);
          this.#sink.completed(event);
          return;
        }
        if (type === 'response.failed') {
          this.#note(fields, data);
          this.#passSome(run, passFrom, start);
          this.#fail(event);
          return;
        }
        if (type === 'error') {
          this.#passSome(run, passFrom, start);
          this.#error ??= isFields(fields.error) ? fields.error : { ...fields, type: null };
          this.#errorEvent = Buffer.concat([this.#errorEvent, event]);
          passFrom = end;
        } else if (!BEGINNING.has(type) || ++this.#waiting > MAX_BEGINNING) this.#start();
      }
      start = end;
    }
    this.#passSome(run, passFrom, run.length);
  }

  #passSome(run: Buffer, from: number, to: number): void {
    if (to <= from) return;
    const bytes = run.subarray(from, to);
    if (this.#started) this.#sink.pass(bytes);
    else this.#beginning.push(bytes);
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#beginning.length > 0) this.#sink.pass(Buffer.concat(this.#beginning));
    this.#beginning = [];
  }

  #fail(event: Buffer): void {
    this.#over = true;
    const refusal = readErrorMember(this.#error, null, this.#reading.meaningOf);
    this.#sink.failed(Buffer.concat([this.#errorEvent, event]), refusal);
  }

  #note({ response }: Fields, data: Buffer): void {
    if (!isFields(response)) return;
    this.#error ??= response.error ?? null;
    const place = jsonMembers(data)?.findLast(({ key }) => key === 'response');
    this.#facts = factsOfResponse(response, place === undefined ? NOTHING : data.subarray(place.start, place.end), this.#reading);
  }
}
