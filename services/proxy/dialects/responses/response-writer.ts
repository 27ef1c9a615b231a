import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent, Citation, FinishReason } from '../../conversation/answer-event.ts';
import type { AnswerStamp, AnswerStreamWriter } from '../../conversation/dialect.ts';
import type { KeptReasoning } from './kept-reasoning.ts';
import { writeKeptReasoning } from './kept-reasoning.ts';
import type { CallItem, ImageItem, ItemStatus, MessageItem, MessagePart, OutputItem, ReasoningItem } from './output-items.ts';
import { itemObject, logprobObjects, partObject, summaryObject } from './output-items.ts';
import type { ResponseState, WriteResponseObject } from './response-object.ts';
import { createResponseObjects } from './response-object.ts';

const REQUEST_PREFIX = 'req_';

/**
 * Writes a response: as the events of a stream, numbered, and at its end as one object. An item is open until another begins; calls are open to the end of the
 * answer, since the pieces of several may come interleaved.
 */
export class ResponseWriter implements AnswerStreamWriter {
  /** What the ids of the response and its items are made of. */
  readonly #stem: string;
  readonly #objects: WriteResponseObject;
  readonly #items: OutputItem[] = [];
  #sequence = 0;
  #reasoning: ReasoningItem | null = null;
  #message: MessageItem | null = null;
  #part: MessagePart | null = null;
  /** Everything of a delta of the open part or summary up to its text. */
  #deltaHead = '';
  readonly #calls = new Map<number, CallItem>();
  /** Characters of text so far. */
  #length = 0;
  #state: ResponseState = { status: 'in_progress' };
  #usage: TokenUsage | null = null;
  #serviceTier: string | null = null;

  constructor(stamp: AnswerStamp, request: ResponsesRequest) {
    this.#stem = stamp.requestId.startsWith(REQUEST_PREFIX) ? stamp.requestId.slice(REQUEST_PREFIX.length) : stamp.requestId;
    this.#objects = createResponseObjects(`resp_${this.#stem}`, stamp, request);
  }

  write(event: AnswerEvent): string {
    switch (event.kind) {
      case 'started':
        this.#usage = event.usage;
        return this.#lifecycle('response.created') + this.#lifecycle('response.in_progress');
      case 'text':
        return this.#openPart('text') + this.#delta(event.text);
      case 'refusal':
        return this.#openPart('refusal') + this.#delta(event.text);
      case 'thinking':
        return this.#openReasoning() + this.#delta(event.text);
      case 'thinking_signature':
        return this.#openReasoning() + this.#closeReasoning({ kind: 'thinking', signature: event.signature });
      case 'redacted_thinking':
        return this.#closeOpen() + this.#openReasoning() + this.#closeReasoning({ kind: 'redacted', data: event.data });
      case 'tool_call':
        return this.#openCall(event);
      case 'tool_input':
        return this.#callDelta(event.call, event.json);
      case 'citation':
        return this.#openPart('text') + this.#annotate(event.citation);
      case 'image':
        return this.#draw(event.data);
      case 'logprobs':
        if (this.#part?.kind === 'text') this.#part.logprobs.push(...event.tokens);
        return '';
      case 'finished':
        return this.#finish(event.reason);
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'service_tier':
        this.#serviceTier = event.tier;
        return '';
    }
  }

  end(): string {
    const ending = this.#state.status === 'in_progress' ? this.#finish('stop') : '';
    return ending + this.#lifecycle(`response.${this.#state.status}`);
  }

  /** The response as it stands, JSON. */
  response(): string {
    return this.#objects({ state: this.#state, items: this.#items, usage: this.#usage, serviceTier: this.#serviceTier });
  }

  #finish(reason: FinishReason): string {
    const cut = reason === 'length';
    const refused = reason === 'refused' && !this.#items.some((item) => item.kind === 'message' && item.parts.some(isRefusal));
    if (cut) this.#state = { status: 'incomplete', reason: 'max_output_tokens' };
    else if (refused) this.#state = { status: 'incomplete', reason: 'content_filter' };
    else this.#state = { status: 'completed' };
    const itemStatus = cut ? 'incomplete' : 'completed';
    return this.#closeOpen(itemStatus) + this.#closeCalls(itemStatus);
  }

  #openReasoning(): string {
    if (this.#reasoning !== null) return '';
    const closed = this.#closeOpen();
    const item: ReasoningItem = { kind: 'reasoning', id: this.#itemId('rs'), index: this.#items.length, text: '', encrypted: null };
    this.#reasoning = item;
    return closed + this.#added(item);
  }

  #closeReasoning(kept: KeptReasoning | null): string {
    const item = this.#reasoning;
    if (item === null) return '';
    this.#reasoning = null;
    if (kept !== null) item.encrypted = writeKeptReasoning(kept);
    const place = { item_id: item.id, output_index: item.index, summary_index: 0 };
    const summary =
      item.text === ''
        ? ''
        : this.#event('response.reasoning_summary_text.done', { ...place, text: item.text }) +
          this.#event('response.reasoning_summary_part.done', { ...place, part: summaryObject(item.text) });
    return summary + this.#done(item);
  }

  #openPart(kind: MessagePart['kind']): string {
    if (this.#part?.kind === kind) return '';
    let opened = this.#closePart();
    if (this.#message === null) {
      opened += this.#closeReasoning(null);
      const item: MessageItem = { kind: 'message', id: this.#itemId('msg'), index: this.#items.length, parts: [], status: 'in_progress' };
      this.#message = item;
      opened += this.#added(item);
    }
    const item = this.#message;
    const part: MessagePart = kind === 'text' ? { kind, text: '', from: this.#length, annotations: [], logprobs: [] } : { kind, text: '' };
    const place = { content_index: item.parts.length, item_id: item.id, output_index: item.index };
    item.parts.push(part);
    this.#part = part;
    opened += this.#event('response.content_part.added', { ...place, part: partObject(part) });
    this.#deltaHead =
      kind === 'text' ? deltaHead('response.output_text.delta', { ...place, logprobs: [] }) : deltaHead('response.refusal.delta', place);
    return opened;
  }

  #closePart(): string {
    const item = this.#message;
    const part = this.#part;
    if (item === null || part === null) return '';
    this.#part = null;
    const place = { content_index: item.parts.length - 1, item_id: item.id, output_index: item.index };
    const text =
      part.kind === 'text'
        ? this.#event('response.output_text.done', { ...place, logprobs: logprobObjects(part.logprobs), text: part.text })
        : this.#event('response.refusal.done', { ...place, refusal: part.text });
    return text + this.#event('response.content_part.done', { ...place, part: partObject(part) });
  }

  /** Of a message or of reasoning, whichever is open. */
  #delta(text: string): string {
    if (text === '') return '';
    let opened = '';
    if (this.#reasoning !== null) {
      const { id, index } = this.#reasoning;
      if (this.#reasoning.text === '') {
        const place = { item_id: id, output_index: index, summary_index: 0 };
        opened = this.#event('response.reasoning_summary_part.added', { ...place, part: summaryObject('') });
        this.#deltaHead = deltaHead('response.reasoning_summary_text.delta', place);
      }
      this.#reasoning.text += text;
    } else if (this.#part !== null) {
      this.#part.text += text;
      if (this.#part.kind === 'text') this.#length += text.length;
    }
    return `${opened}${this.#deltaHead}${JSON.stringify(text)},"sequence_number":${this.#sequence++}}\n\n`;
  }

  #annotate({ title, url, start, end }: Citation): string {
    const part = this.#part;
    if (this.#message === null || part?.kind !== 'text') return '';
    const annotation =
      url === null
        ? { type: 'file_citation', file_id: title ?? '', filename: title ?? '', index: 0 }
        : {
            type: 'url_citation',
            url,
            title: title ?? '',
            start_index: Math.max(0, (start ?? part.from) - part.from),
            end_index: Math.max(0, (end ?? this.#length) - part.from),
          };
    part.annotations.push(annotation);
    return this.#event('response.output_text.annotation.added', {
      content_index: this.#message.parts.length - 1,
      item_id: this.#message.id,
      output_index: this.#message.index,
      annotation_index: part.annotations.length - 1,
      annotation,
    });
  }

  /** In its words: a tool of the provider's that draws, which has done so. */
  #draw(data: string): string {
    const closed = this.#closeOpen();
    const item: ImageItem = { kind: 'image', id: this.#itemId('ig'), index: this.#items.length, data };
    const added = this.#added(item);
    return (
      closed +
      added +
      this.#event('response.image_generation_call.completed', { item_id: item.id, output_index: item.index }) +
      this.#done(item)
    );
  }

  #openCall({ call, callId, name, signature }: Extract<AnswerEvent, { kind: 'tool_call' }>): string {
    let opened = this.#closeOpen();
    if (signature !== null) opened += this.#openReasoning() + this.#closeReasoning({ kind: 'call', callId, signature });
    const item: CallItem = {
      kind: 'call',
      id: this.#itemId('fc'),
      index: this.#items.length,
      callId,
      name,
      json: '',
      status: 'in_progress',
    };
    this.#calls.set(call, item);
    return opened + this.#added(item);
  }

  #callDelta(call: number, json: string): string {
    const item = this.#calls.get(call);
    if (item === undefined || json === '') return '';
    item.json += json;
    return this.#event('response.function_call_arguments.delta', { item_id: item.id, output_index: item.index, delta: json });
  }

  #closeCalls(status: ItemStatus): string {
    let closed = '';
    for (const item of this.#calls.values()) {
      if (item.json === '' && status === 'completed') closed += this.#emptyInput(item);
      item.status = status;
      const place = { item_id: item.id, output_index: item.index };
      closed += this.#event('response.function_call_arguments.done', { ...place, name: item.name, arguments: item.json });
      closed += this.#done(item);
    }
    this.#calls.clear();
    return closed;
  }

  /** A call without arguments has those of an empty object: clients parse them. */
  #emptyInput(item: CallItem): string {
    item.json = '{}';
    return this.#event('response.function_call_arguments.delta', { item_id: item.id, output_index: item.index, delta: item.json });
  }

  /** Ends the message or the reasoning that is open. */
  #closeOpen(status: ItemStatus = 'completed'): string {
    const closed = this.#closeReasoning(null) + this.#closePart();
    const item = this.#message;
    if (item === null) return closed;
    this.#message = null;
    item.status = status;
    return closed + this.#done(item);
  }

  #added(item: OutputItem): string {
    this.#items.push(item);
    return this.#event('response.output_item.added', { output_index: item.index, item: itemObject(item) });
  }

  #done(item: OutputItem): string {
    return this.#event('response.output_item.done', { output_index: item.index, item: itemObject(item) });
  }

  #itemId(kind: string): string {
    return `${kind}_${this.#stem}_${this.#items.length}`;
  }

  #lifecycle(type: string): string {
    return `event: ${type}\ndata: {"type":"${type}","response":${this.response()},"sequence_number":${this.#sequence++}}\n\n`;
  }

  #event(type: string, fields: object): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: this.#sequence++ })}\n\n`;
  }
}

function deltaHead(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields }).slice(0, -1)},"delta":`;
}

function isRefusal({ kind }: MessagePart): boolean {
  return kind === 'refusal';
}
