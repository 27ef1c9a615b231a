import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import { lastJsonMember } from '../../body/json-members.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { AnswerSink, AnswerStreamReader } from '../../conversation/dialect.ts';
import { EventReader } from '../event-stream/event-reader.ts';
import { readErrorMember } from '../openai/failure.ts';
import { rawUsageOf } from '../openai/response.ts';
import type { AnswerFacts } from '../provider.ts';
import { NO_FACTS } from '../provider.ts';
import { AnswerText, callOf, failureOf, finishedBy, listOf, logprobOf } from './answer-parts.ts';
import { meaningOf } from './failure.ts';
import { normalizeUsage } from './usage.ts';

const NO_FIELDS: Fields = {};

/** Reads a stream of v2 chat. It is complete with `message-end`; the `[DONE]` behind it says nothing more. */
export class CohereStreamReader implements AnswerStreamReader {
  readonly #sink: AnswerSink;
  readonly #events = new EventReader((data) => this.#read(data));
  readonly #text = new AnswerText();
  #isStarted = false;
  #isOver = false;
  /** Cohere's own numbers of the calls, in the order they began. */
  readonly #calls: unknown[] = [];
  #facts: AnswerFacts = { ...NO_FACTS, usageFlags: ['usage_missing'] };

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    if (this.#isOver || this.#events.push(chunk) || this.#isOver) return;
    this.#isOver = true;
    this.#sink.broken();
  }

  end(): boolean {
    if (!this.#isOver) this.#events.end();
    return this.#isOver;
  }

  facts(): AnswerFacts {
    return this.#facts;
  }

  #read(data: string): void {
    if (this.#isOver || data === '[DONE]') return;
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (!isFields(event)) return;
    const delta = isFields(event.delta) ? event.delta : NO_FIELDS;
    const message = isFields(delta.message) ? delta.message : NO_FIELDS;
    if (event.type === 'message-start') this.#start(textOf(event.id));
    else if (event.type === 'message-end') this.#finish(delta, data);
    else if (typeof event.type === 'string') this.#readPiece(event.type, event, message);
    else this.#fail(event);
  }

  #readPiece(type: string, event: Fields, message: Fields): void {
    const { content, tool_plan: plan, tool_calls: call, citations } = message;
    if (type === 'content-start' || type === 'content-delta') {
      if (!isFields(content)) return;
      if (type === 'content-start') this.#text.begin(event.index);
      const thinking = textOf(content.thinking);
      const text = textOf(content.text);
      if (thinking !== null) this.#tell({ kind: 'thinking', choice: 0, text: thinking });
      if (text !== null) this.#tell(this.#text.say(text));
      const tokens = isFields(event.logprobs) ? logprobOf(event.logprobs) : listOf(event.logprobs).flatMap(logprobOf);
      if (tokens.length > 0) this.#tell({ kind: 'logprobs', choice: 0, tokens });
    } else if (type === 'tool-plan-delta') {
      const text = textOf(plan);
      if (text !== null) this.#tell(this.#text.say(text));
    } else if (type === 'tool-call-start') {
      if (isFields(call)) this.#beginCall(event.index, call);
    } else if (type === 'tool-call-delta') {
      if (isFields(call)) this.#continueCall(this.#calls.lastIndexOf(event.index), callOf(call).input);
    } else if (type === 'citation-start') {
      if (isFields(citations)) for (const citation of this.#text.citations(citations)) this.#tell(citation);
    }
  }

  #beginCall(index: unknown, fields: Fields): void {
    const call = this.#calls.push(index) - 1;
    const { name, input } = callOf(fields);
    this.#tell({ kind: 'tool_call', choice: 0, call, callId: textOf(fields.id) ?? `call_${call}`, name, signature: null });
    this.#continueCall(call, input);
  }

  #continueCall(call: number, json: string): void {
    if (call >= 0 && json !== '') this.#tell({ kind: 'tool_input', choice: 0, call, json });
  }

  #finish(delta: Fields, data: string): void {
    const bytes = Buffer.from(data, 'utf8');
    const place = lastJsonMember(bytes, 'delta');
    const { finish_reason: finishReason } = delta;
    const { usage, flags } = normalizeUsage(delta.usage);
    const rawUsage = place === null ? null : rawUsageOf(bytes.subarray(place.start, place.end));
    this.#facts = { ...NO_FACTS, finishReason: textOf(finishReason), usage, rawUsage, usageFlags: flags };
    const failure = failureOf(finishReason, delta.error);
    if (failure !== null) {
      this.#isOver = true;
      this.#sink.failed(failure);
      return;
    }
    if (usage !== null) this.#tell({ kind: 'usage', usage });
    this.#tell(finishedBy(finishReason));
    this.#isOver = true;
    this.#sink.completed();
  }

  /** What has no type is an error. */
  #fail(event: Fields): void {
    this.#isOver = true;
    this.#sink.failed(readErrorMember(event, null, meaningOf));
  }

  #start(id: string | null): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#sink.event({ kind: 'started', id, model: null, usage: null });
  }

  #tell(event: AnswerEvent): void {
    this.#start(null);
    this.#sink.event(event);
  }
}
