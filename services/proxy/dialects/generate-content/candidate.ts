import type { AnswerEvent, FinishReason } from '../../conversation/answer-event.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { inputObject } from '../input-object.ts';
import { finishReason } from './answer-words.ts';
import { writeKeptSignature } from './kept-signature.ts';
import { Grounding } from './write-grounding.ts';

type Call = Extract<AnswerEvent, { kind: 'tool_call' }>;

/** What of a candidate is told with its end: its calls, which Google writes whole, why it ended, and what it rests on. */
export class CandidateEnding {
  readonly #calls = new Map<number, { readonly call: Call; json: string }>();
  readonly #grounding: Grounding;
  #reason: FinishReason | null = null;
  #hasRefusal = false;

  constructor(notCarried: NotCarried) {
    this.#grounding = new Grounding(notCarried);
  }

  /** Takes note of an event of its choice, whatever is written of it besides. */
  take(event: Extract<AnswerEvent, { choice: number }>): void {
    switch (event.kind) {
      case 'refusal':
        this.#hasRefusal = true;
        this.#grounding.said(event.text);
        return;
      case 'text':
        this.#grounding.said(event.text);
        return;
      case 'tool_call':
        this.#calls.set(event.call, { call: event, json: '' });
        return;
      case 'tool_input': {
        const called = this.#calls.get(event.call);
        if (called !== undefined) called.json += event.json;
        return;
      }
      case 'citation':
        this.#grounding.cite(event.citation);
        return;
      case 'finished':
        this.#reason = event.reason;
    }
  }

  /** The candidate, JSON. @param said parts that stand before its calls, JSON. @param members further ones of it. */
  write(index: number, said: readonly string[], members: readonly string[] = []): string {
    const parts = [...said, ...[...this.#calls.values()].map(({ call, json }) => writeCall(call, json))];
    const grounding = this.#grounding.metadata();
    const written = [
      // Clients that keep a conversation take a content without parts for none.
      `"content":{"role":"model","parts":[${parts.length === 0 ? '{"text":""}' : parts.join(',')}]}`,
      `"finishReason":"${finishReason(this.#reason ?? 'stop', this.#hasRefusal)}"`,
      `"index":${index}`,
      ...members,
      ...(grounding === null ? [] : [`"groundingMetadata":${JSON.stringify(grounding)}`]),
    ];
    return `{${written.join(',')}}`;
  }
}

/** A part of text, JSON. */
export function writeText(text: string): string {
  return `{"text":${JSON.stringify(text)}}`;
}

/** A part of thinking, JSON; with its signature where it ends. */
export function writeThought(text: string, signature: string | null): string {
  const kept = signature === null ? '' : `,"thoughtSignature":"${writeKeptSignature({ kind: 'signature', signature })}"`;
  return `{"text":${JSON.stringify(text)},"thought":true${kept}}`;
}

/** Thinking that is not shown, JSON. */
export function writeRedacted(data: string): string {
  return `{"text":"","thought":true,"thoughtSignature":"${writeKeptSignature({ kind: 'redacted', data })}"}`;
}

/** What the model drew, JSON. */
export function writeImage(mediaType: string, data: string): string {
  return `{"inlineData":${JSON.stringify({ mimeType: mediaType, data })}}`;
}

function writeCall({ callId, name, signature }: Call, json: string): string {
  const call = `{"id":${JSON.stringify(callId)},"name":${JSON.stringify(name)},"args":${inputObject(json)}}`;
  const kept = signature === null ? '' : `,"thoughtSignature":"${writeKeptSignature({ kind: 'signature', signature })}"`;
  return `{"functionCall":${call}${kept}}`;
}
