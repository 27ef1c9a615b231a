import type { Fields } from '../../body/json-fields.ts';
import { isFields, parseFields, textOf } from '../../body/json-fields.ts';
import { EventSplitter, eventData, eventEnd } from '../event-stream/event-splitter.ts';
import type { AnswerFacts, StreamExpectation, StreamReader, StreamSink } from '../provider.ts';
import { readErrorMember } from './failure.ts';
import type { Reading } from './reading.ts';
import { StreamFacts } from './stream-facts.ts';

const USAGE = Buffer.from('"usage"');
const FINISH_REASON = Buffer.from('"finish_reason"');
const ERROR = Buffer.from('"error"');
const TOOL_CALLS = Buffer.from('"tool_calls"');
const DONE = Buffer.from('[DONE]');
const END_OF_EVENT = Buffer.from('\n\n');
const DONE_EVENT = Buffer.from('data: [DONE]\n\n');

/** Reads of comments kept until the first event; more are dropped, since a comment says nothing. */
const MAX_COMMENTS = 64;
const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const LETTER_N = 0x6e;

/** What a chunk of ours is made of, where a provider leaves out the last one of a choice. */
export interface ChunkForm {
  readonly object: string;
  /** Of a choice that says nothing more. */
  readonly content: Readonly<Record<string, unknown>>;
}

const CHAT_CHUNKS: ChunkForm = { object: 'chat.completion.chunk', content: { delta: {} } };
export const COMPLETION_CHUNKS: ChunkForm = { object: 'text_completion', content: { text: '' } };

/**
 * Reads a chat completion stream while its bytes pass (client-contract section 3). Bytes go on unchanged, except that
 * - the chunk that holds only usage is taken out when the client did not ask for it, and
 * - a choice that got no `finish_reason` by the end gets one, since the SDKs' accumulators throw without.
 * Runs of events in which a native search finds none of the words that matter are passed without being looked at.
 */
export class ChatStreamReader implements StreamReader {
  #splitter = new EventSplitter();
  #sink: StreamSink;
  #reading: Reading;
  #form: ChunkForm;
  #usageAsked: boolean;
  /** With several choices every event is parsed, because only then is it known which choices there are. */
  #parseAll: boolean;
  #over = false;
  /** Whether an event with data came; comments before it wait, because the head of the answer goes out with the first event. */
  #started = false;
  #comments: Buffer[] = [];
  #seen = new Set<number>();
  #finished = new Set<number>();
  #toolCalls = false;
  /** The first chunk with choices: what a finishing chunk of ours is made after. */
  #template: Fields | null = null;
  readonly #facts = new StreamFacts();

  constructor(expected: StreamExpectation, sink: StreamSink, reading: Reading, form: ChunkForm = CHAT_CHUNKS) {
    this.#sink = sink;
    this.#reading = reading;
    this.#form = form;
    this.#usageAsked = expected.usageAsked;
    this.#parseAll = expected.choices > 1;
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
    if (rest.length > 0 && isWholeEvent(rest)) this.#read(Buffer.concat([rest, END_OF_EVENT]));
    if (this.#over) return true;
    if (this.#seen.size === 0 || this.#unfinished().length > 0) return false;
    this.#over = true;
    this.#sink.completed(DONE_EVENT);
    return true;
  }

  facts(): AnswerFacts {
    return this.#facts.read(this.#reading);
  }

  #read(run: Buffer): void {
    if (!this.#matters(run)) {
      this.#sink.pass(run);
      return;
    }
    let passFrom = 0;
    const passTo = (end: number): void => {
      if (end > passFrom) this.#pass(run.subarray(passFrom, end));
    };
    for (let start = 0; start < run.length && !this.#over; ) {
      const end = eventEnd(run, start);
      const event = run.subarray(start, end);
      const data = eventData(event);
      this.#started ||= data !== null;
      if (data !== null && isDone(data)) {
        this.#over = true;
        passTo(start);
        this.#sink.completed(Buffer.concat([...this.#finishingEvents(), event]));
        return;
      }
      const chunk = data === null ? null : parseFields(data);
      if (chunk !== null && data !== null) {
        if (isFields(chunk.error) || (typeof chunk.error === 'string' && chunk.error !== '')) {
          this.#over = true;
          this.#facts.noteUsage(chunk, data);
          passTo(start);
          this.#sink.failed(event, readErrorMember(chunk.error, null, this.#reading.meaningOf));
          return;
        }
        const onlyUsage = this.#facts.noteUsage(chunk, data) && (!Array.isArray(chunk.choices) || chunk.choices.length === 0);
        this.#noteChoices(chunk);
        if (onlyUsage) {
          passTo(start);
          for (const finishing of this.#finishingEvents()) this.#pass(finishing);
          passFrom = this.#usageAsked ? start : end;
        }
      }
      start = end;
    }
    passTo(run.length);
  }

  #pass(bytes: Buffer): void {
    if (!this.#started) {
      if (this.#comments.length < MAX_COMMENTS) this.#comments.push(bytes);
      return;
    }
    if (this.#comments.length > 0) {
      const comments = Buffer.concat(this.#comments);
      this.#comments = [];
      this.#sink.pass(comments);
    }
    this.#sink.pass(bytes);
  }

  /** Whether some event of a run has to be looked at. */
  #matters(run: Buffer): boolean {
    if (this.#seen.size === 0 || this.#parseAll) return true;
    if (!this.#toolCalls && run.includes(TOOL_CALLS)) this.#toolCalls = true;
    return (
      run.includes(DONE) ||
      memberStartsWith(run, FINISH_REASON, QUOTE) ||
      memberStartsWith(run, USAGE, OPEN_BRACE) ||
      memberIsNot(run, ERROR, LETTER_N)
    );
  }

  #noteChoices(chunk: Fields): void {
    this.#facts.noteAnswer(chunk);
    if (!Array.isArray(chunk.choices)) return;
    for (const choice of chunk.choices) {
      if (!isFields(choice)) continue;
      const index = typeof choice.index === 'number' ? choice.index : 0;
      this.#template ??= chunk;
      this.#seen.add(index);
      const finishReason = textOf(choice.finish_reason);
      if (finishReason !== null) {
        this.#finished.add(index);
        this.#facts.finishReason ??= finishReason;
      }
      if (isFields(choice.delta) && Array.isArray(choice.delta.tool_calls)) this.#toolCalls = true;
    }
  }

  #unfinished(): number[] {
    return [...this.#seen].filter((index) => !this.#finished.has(index));
  }

  /** Events that finish the choices the provider left open. Each is made once. */
  #finishingEvents(): Buffer[] {
    const open = this.#unfinished();
    if (open.length === 0) return [];
    const finishReason = this.#toolCalls ? 'tool_calls' : 'stop';
    this.#facts.finishReason ??= finishReason;
    return open.map((index) => {
      this.#finished.add(index);
      const chunk = {
        id: this.#template?.id ?? '',
        object: this.#form.object,
        created: this.#template?.created ?? 0,
        model: this.#template?.model ?? '',
        choices: [{ index, ...this.#form.content, logprobs: null, finish_reason: finishReason }],
      };
      return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`, 'utf8');
    });
  }
}

function isDone(data: Buffer): boolean {
  return data.length < 2 * DONE.length && data.toString('latin1').trim() === '[DONE]';
}

function isWholeEvent(rest: Buffer): boolean {
  const data = eventData(rest);
  return data !== null && (isDone(data) || parseFields(data) !== null);
}

/** First byte of the value of each member of that name, until one satisfies the condition. Text inside strings cannot match: its quotes are escaped. */
function memberStartsWith(run: Buffer, name: Buffer, wanted: number): boolean {
  for (let at = run.indexOf(name); at >= 0; at = run.indexOf(name, at + name.length)) {
    if (valueByte(run, at + name.length) === wanted) return true;
  }
  return false;
}

function memberIsNot(run: Buffer, name: Buffer, unwanted: number): boolean {
  for (let at = run.indexOf(name); at >= 0; at = run.indexOf(name, at + name.length)) {
    if (valueByte(run, at + name.length) !== unwanted) return true;
  }
  return false;
}

function valueByte(run: Buffer, offset: number): number {
  let at = offset;
  while (run[at] === 0x20 || run[at] === 0x3a) at += 1;
  return run[at] ?? 0;
}
