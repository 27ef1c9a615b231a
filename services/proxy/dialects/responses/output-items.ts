import type { TokenLogprob } from '../../conversation/answer-event.ts';

/** A part of a message, as far as it is written. */
export type MessagePart =
  | {
      readonly kind: 'text';
      text: string;
      /** Characters of the answer before it. */
      readonly from: number;
      readonly annotations: object[];
      readonly logprobs: TokenLogprob[];
    }
  | { readonly kind: 'refusal'; text: string };

interface Item {
  readonly id: string;
  /** Its place in the output. */
  readonly index: number;
}

export interface ReasoningItem extends Item {
  readonly kind: 'reasoning';
  text: string;
  encrypted: string | null;
}

export interface MessageItem extends Item {
  readonly kind: 'message';
  readonly parts: MessagePart[];
  status: ItemStatus;
}

export interface CallItem extends Item {
  readonly kind: 'call';
  readonly callId: string;
  readonly name: string;
  json: string;
  status: ItemStatus;
}

/** What the model drew, base64. */
export interface ImageItem extends Item {
  readonly kind: 'image';
  readonly data: string;
}

/** What the output of a response consists of. */
export type OutputItem = ReasoningItem | MessageItem | CallItem | ImageItem;
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** A part of a message as the API has it. */
export function partObject(part: MessagePart): object {
  if (part.kind === 'refusal') return { type: 'refusal', refusal: part.text };
  return { type: 'output_text', annotations: part.annotations, logprobs: logprobObjects(part.logprobs), text: part.text };
}

export function summaryObject(text: string): object {
  return { type: 'summary_text', text };
}

/** An item as the API has it. */
export function itemObject(item: OutputItem): object {
  const { id } = item;
  switch (item.kind) {
    case 'reasoning': {
      const encrypted = item.encrypted === null ? {} : { encrypted_content: item.encrypted };
      return { id, type: 'reasoning', ...encrypted, summary: item.text === '' ? [] : [summaryObject(item.text)] };
    }
    case 'message':
      return { id, type: 'message', status: item.status, content: item.parts.map(partObject), role: 'assistant' };
    case 'call':
      return { id, type: 'function_call', status: item.status, arguments: item.json, call_id: item.callId, name: item.name };
    case 'image':
      return { id, type: 'image_generation_call', status: 'completed', result: item.data };
  }
}

export function logprobObjects(tokens: readonly TokenLogprob[]): object[] {
  return tokens.map(({ token, logprob, bytes, alternatives }) => ({
    token,
    logprob,
    bytes: bytes ?? [],
    top_logprobs: alternatives.map((other) => ({ token: other.token, logprob: other.logprob, bytes: other.bytes ?? [] })),
  }));
}
