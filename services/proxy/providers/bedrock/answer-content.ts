import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent, FinishReason } from '../../conversation/answer-event.ts';

const REASONS: ReadonlyMap<unknown, FinishReason> = new Map<unknown, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop_sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['guardrail_intervened', 'refused'],
  ['content_filtered', 'refused'],
]);

/** How an answer ended; what nobody knows yet is an ordinary end. */
export function finishedBy(stopReason: unknown): AnswerEvent {
  return { kind: 'finished', choice: 0, reason: REASONS.get(stopReason) ?? 'stop', stopSequence: null };
}

/** Understands the content of one answer, in whole blocks or piece by piece. */
export class AnswerContent {
  readonly #tell: (event: AnswerEvent) => void;
  #calls = 0;
  #textLength = 0;
  /** By the index of the block. Calls of the provider's own tools, which it answers itself, are not there. */
  readonly #callOf = new Map<unknown, number>();
  /** Where the text of the block under way begins, for what it cites. */
  #block: unknown = null;
  #blockStart = 0;

  constructor(tell: (event: AnswerEvent) => void) {
    this.#tell = tell;
  }

  /** A block of a whole answer. */
  whole(block: Fields): void {
    const { text, reasoningContent: reasoning, toolUse: call, citationsContent: cited } = block;
    if (typeof text === 'string') this.#say(text);
    else if (isFields(reasoning)) {
      const { reasoningText } = reasoning;
      this.#think(isFields(reasoningText) ? { ...reasoningText, redactedContent: reasoning.redactedContent } : reasoning);
    } else if (isFields(call)) this.#whole(call);
    else if (isFields(cited)) {
      const start = this.#textLength;
      for (const part of listOf(cited.content)) this.#say(textOf(part.text) ?? '');
      for (const citation of listOf(cited.citations)) this.#cite(citation, start);
    }
  }

  /** The start of a block; only calls have one. */
  begin(index: unknown, start: Fields): void {
    if (isFields(start.toolUse)) this.#call(index, start.toolUse);
  }

  /** A piece of a block. */
  piece(index: unknown, delta: Fields): void {
    const { text, toolUse: call, reasoningContent: reasoning, citation } = delta;
    if (index !== this.#block) {
      this.#block = index;
      this.#blockStart = this.#textLength;
    }
    if (typeof text === 'string') this.#say(text);
    else if (isFields(call)) {
      const number = this.#callOf.get(index);
      const json = textOf(call.input);
      if (number !== undefined && json !== null) this.#tell({ kind: 'tool_input', choice: 0, call: number, json });
    } else if (isFields(reasoning)) this.#think(reasoning);
    else if (isFields(citation)) this.#cite(citation, this.#blockStart);
  }

  #say(text: string): void {
    if (text === '') return;
    this.#textLength += text.length;
    this.#tell({ kind: 'text', choice: 0, text });
  }

  #think({ text, signature, redactedContent }: Fields): void {
    const thought = textOf(text);
    const signed = textOf(signature);
    const redacted = textOf(redactedContent);
    if (thought !== null) this.#tell({ kind: 'thinking', choice: 0, text: thought });
    if (signed !== null) this.#tell({ kind: 'thinking_signature', choice: 0, signature: signed });
    if (redacted !== null) this.#tell({ kind: 'redacted_thinking', choice: 0, data: redacted });
  }

  #whole(call: Fields): void {
    const number = this.#call(null, call);
    if (number === null || call.input === undefined || call.input === null) return;
    this.#tell({ kind: 'tool_input', choice: 0, call: number, json: JSON.stringify(call.input) });
  }

  /** Null where it is a tool of the provider's own. */
  #call(index: unknown, { toolUseId, name, type }: Fields): number | null {
    if (type === 'server_tool_use') return null;
    const call = this.#calls;
    this.#calls += 1;
    this.#callOf.set(index, call);
    this.#tell({
      kind: 'tool_call',
      choice: 0,
      call,
      callId: textOf(toolUseId) ?? `call_${call}`,
      name: textOf(name) ?? '',
      signature: null,
    });
    return call;
  }

  #cite({ title, location, sourceContent }: Fields, start: number): void {
    const web = isFields(location) && isFields(location.web) ? location.web : {};
    const quoted = listOf(sourceContent).map(({ text }) => textOf(text) ?? '');
    this.#tell({
      kind: 'citation',
      choice: 0,
      citation: { title: textOf(title), url: textOf(web.url), quoted: textOf(quoted.join('')), start, end: this.#textLength },
    });
  }
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [value].filter(isFields);
}
