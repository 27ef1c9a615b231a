import type { Fields } from '../../../body/json-fields.ts';
import { isFields, textOf } from '../../../body/json-fields.ts';
import type { FinishReason, TokenLogprob } from '../../../conversation/answer-event.ts';
import type { OnEvent } from './call-reader.ts';
import { CallReader } from './call-reader.ts';
import { readCitations } from './read-citations.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['length', 'length'],
  // Mistral's, for the context of the model.
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'refused'],
]);

const DATA_URL = /^data:(image\/[\w.+-]+);base64,(.+)$/s;
/** Types of thinking that nobody but its provider can read. */
const HIDDEN: ReadonlySet<unknown> = new Set(['redacted_thinking', 'reasoning.encrypted']);

/**
 * Reads one choice of an answer, whole (`message`) or in pieces (`delta`), into events. Why it ended is kept until nothing more comes: some say it twice,
 * some not at all.
 */
export class ChoiceReader {
  readonly #choice: number;
  readonly #onEvent: OnEvent;
  readonly #calls: CallReader;
  #reason: string | null = null;
  #stopSequence: string | null = null;
  #hasRefusal = false;

  /** @param answerId of which ids of calls are made where the provider sends none. */
  constructor(choice: number, answerId: string, onEvent: OnEvent) {
    this.#choice = choice;
    this.#onEvent = onEvent;
    this.#calls = new CallReader(choice, answerId, onEvent);
  }

  /** Whether the provider said why it ended. */
  get isFinished(): boolean {
    return this.#reason !== null;
  }

  /** @param choice a member of `choices`. @param said its `delta` or `message`. */
  take(choice: Fields, said: Fields): void {
    this.#think(said);
    this.#speak(said.content);
    const refusal = textOf(said.refusal);
    if (refusal !== null) {
      this.#hasRefusal = true;
      this.#onEvent({ kind: 'refusal', choice: this.#choice, text: refusal });
    }
    if (Array.isArray(said.images)) this.#draw(said.images);
    if (Array.isArray(said.tool_calls)) this.#calls.take(said.tool_calls);
    if (Array.isArray(said.annotations)) this.cite(said.annotations);
    if (isFields(choice.logprobs)) this.#weigh(choice.logprobs);
    const reason = textOf(choice.finish_reason);
    if (reason === null) return;
    this.#reason = reason;
    // vLLM's: a text where a stop sequence was met, a number for a token of the model's.
    this.#stopSequence = textOf(choice.stop_reason);
  }

  cite(sources: readonly unknown[]): void {
    for (const citation of readCitations(sources)) this.#onEvent({ kind: 'citation', choice: this.#choice, citation });
  }

  finish(): void {
    const reason = this.#reasonOf(this.#reason ?? 'stop');
    this.#onEvent({ kind: 'finished', choice: this.#choice, reason, stopSequence: reason === 'stop_sequence' ? this.#stopSequence : null });
  }

  #reasonOf(said: string): FinishReason {
    const reason = REASONS.get(said);
    if (reason !== undefined) return reason;
    if (this.#hasRefusal) return 'refused';
    // Ollama ends with `stop` where it calls.
    if (this.#calls.hasCalls) return 'tool_calls';
    return this.#stopSequence === null ? 'stop' : 'stop_sequence';
  }

  /** `reasoning_content` (DeepSeek, xAI, vLLM), `reasoning` (Groq, Ollama, OpenRouter); what proves it is in LiteLLM's blocks, and ours, or in OpenRouter's details. */
  #think(said: Fields): void {
    const text = textOf(said.reasoning_content) ?? textOf(said.reasoning);
    if (text !== null) this.#onEvent({ kind: 'thinking', choice: this.#choice, text });
    const proofs = said.thinking_blocks ?? said.reasoning_details;
    if (!Array.isArray(proofs)) return;
    for (const proof of proofs) {
      if (!isFields(proof)) continue;
      const signature = textOf(proof.signature);
      const data = textOf(proof.data);
      if (signature !== null) this.#onEvent({ kind: 'thinking_signature', choice: this.#choice, signature });
      if (data !== null && HIDDEN.has(proof.type)) this.#onEvent({ kind: 'redacted_thinking', choice: this.#choice, data });
    }
  }

  /** OpenRouter's, and LiteLLM's: pictures in data URLs. */
  #draw(images: readonly unknown[]): void {
    for (const image of images.filter(isFields)) {
      const [, mediaType, data] = DATA_URL.exec((isFields(image.image_url) ? textOf(image.image_url.url) : null) ?? '') ?? [];
      if (mediaType !== undefined && data !== undefined) this.#onEvent({ kind: 'image', choice: this.#choice, mediaType, data });
    }
  }

  /** A text, or Mistral's parts; of one answer some pieces may be the one and some the other. */
  #speak(content: unknown): void {
    if (typeof content === 'string') {
      if (content !== '') this.#onEvent({ kind: 'text', choice: this.#choice, text: content });
      return;
    }
    if (!Array.isArray(content)) return;
    for (const part of content) {
      if (!isFields(part)) continue;
      const text = textOf(part.text);
      if (part.type === 'text' && text !== null) this.#onEvent({ kind: 'text', choice: this.#choice, text });
      if (part.type !== 'thinking' || !Array.isArray(part.thinking)) continue;
      for (const piece of part.thinking) {
        const thought = isFields(piece) ? textOf(piece.text) : null;
        if (thought !== null) this.#onEvent({ kind: 'thinking', choice: this.#choice, text: thought });
      }
    }
  }

  #weigh({ content }: Fields): void {
    if (!Array.isArray(content) || content.length === 0) return;
    const tokens = content.filter(isFields).map((token) => ({
      ...tokenOf(token),
      alternatives: Array.isArray(token.top_logprobs) ? token.top_logprobs.filter(isFields).map(tokenOf) : [],
    }));
    this.#onEvent({ kind: 'logprobs', choice: this.#choice, tokens });
  }
}

function tokenOf({ token, logprob, bytes }: Fields): Omit<TokenLogprob, 'alternatives'> {
  return {
    token: typeof token === 'string' ? token : '',
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : null,
  };
}
