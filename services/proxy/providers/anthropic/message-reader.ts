import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent, Citation } from '../../conversation/answer-event.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { AnswerFacts } from '../provider.ts';
import { finishReasonOf } from './finish-reason.ts';
import type { MessageUsage } from './usage.ts';
import { laterUsage, NO_MESSAGE_USAGE, normalizeMessageUsage } from './usage.ts';

/** Anthropic's name for its usual tier, and ours for it. */
const TIER_NAMES: ReadonlyMap<string, string> = new Map([['standard', 'default']]);

/**
 * Understands a message of Anthropic's, block by block: a stream tells their beginnings, pieces and ends, a whole answer has them complete.
 * What tools on Anthropic's side did (searches, code that ran) stands in no other dialect: only what the model says of it is told, with its citations.
 */
export class MessageReader {
  readonly #emit: (event: AnswerEvent) => void;
  readonly #onNotCarried: NotCarried;
  /** Which call of the answer a block is, by the block's index. */
  readonly #calls = new Map<number, number>();
  #citations: Citation[] = [];
  /** Characters of text so far, and where the block that runs began. */
  #textLength = 0;
  #blockStart = 0;
  #model: string | null = null;
  #stopReason: string | null = null;
  #rawUsage: Fields | null = null;

  /** @param onNotCarried told by its type of a block that no event can tell. */
  constructor(emit: (event: AnswerEvent) => void, onNotCarried: NotCarried) {
    this.#emit = emit;
    this.#onNotCarried = onNotCarried;
  }

  /** The message without its content. */
  started(message: Fields): void {
    this.#model = textOf(message.model);
    if (isFields(message.usage)) this.#rawUsage = message.usage;
    this.#emit({ kind: 'started', id: textOf(message.id), model: this.#model, usage: this.#usage().usage });
  }

  /** @param input JSON of what a tool is called with, where it is known already. */
  blockStarted(index: number, block: Fields, input: string | null): void {
    this.#blockStart = this.#textLength;
    switch (block.type) {
      case 'text':
        this.#text(block.text);
        for (const citation of Array.isArray(block.citations) ? block.citations : []) this.#cite(citation);
        break;
      case 'thinking':
        this.#thinking(block.thinking);
        this.#signature(block.signature);
        break;
      case 'redacted_thinking':
        if (typeof block.data === 'string') this.#emit({ kind: 'redacted_thinking', choice: 0, data: block.data });
        break;
      case 'tool_use': {
        const call = this.#calls.size;
        this.#calls.set(index, call);
        const callId = textOf(block.id) ?? `toolu_${call}`;
        this.#emit({ kind: 'tool_call', choice: 0, call, callId, name: textOf(block.name) ?? '', signature: null });
        if (input !== null && input !== '{}') this.#emit({ kind: 'tool_input', choice: 0, call, json: input });
        break;
      }
      default:
        if (typeof block.type === 'string') this.#onNotCarried(block.type);
    }
  }

  blockPiece(index: number, delta: Fields): void {
    switch (delta.type) {
      case 'text_delta':
        this.#text(delta.text);
        break;
      case 'thinking_delta':
        this.#thinking(delta.thinking);
        break;
      case 'signature_delta':
        this.#signature(delta.signature);
        break;
      case 'citations_delta':
        this.#cite(delta.citation);
        break;
      case 'input_json_delta': {
        // Of a tool on Anthropic's side there is no call.
        const call = this.#calls.get(index);
        const json = textOf(delta.partial_json);
        if (call !== undefined && json !== null) this.#emit({ kind: 'tool_input', choice: 0, call, json });
        break;
      }
    }
  }

  blockStopped(): void {
    for (const citation of this.#citations) {
      this.#emit({ kind: 'citation', choice: 0, citation: { ...citation, start: this.#blockStart, end: this.#textLength } });
    }
    this.#citations = [];
  }

  /** @param ending has the reason. @param usage of all that came so far. */
  finished(ending: Fields, usage: unknown): void {
    if (isFields(usage)) this.#rawUsage = laterUsage(this.#rawUsage, usage);
    const stopReason = textOf(ending.stop_reason);
    if (stopReason === null || this.#stopReason !== null) return;
    this.#stopReason = stopReason;
    const explanation = isFields(ending.stop_details) ? textOf(ending.stop_details.explanation) : null;
    if (stopReason === 'refusal' && explanation !== null) this.#emit({ kind: 'refusal', choice: 0, text: explanation });
    this.#emit({ kind: 'finished', choice: 0, reason: finishReasonOf(stopReason), stopSequence: textOf(ending.stop_sequence) });
    const told = this.#usage();
    if (told.usage !== null) this.#emit({ kind: 'usage', usage: told.usage });
    if (told.tier !== null) this.#emit({ kind: 'service_tier', tier: TIER_NAMES.get(told.tier) ?? told.tier });
  }

  get isFinished(): boolean {
    return this.#stopReason !== null;
  }

  facts(rawUsage: string | null): AnswerFacts {
    const { usage, units, tier, flags } = this.#usage();
    return {
      modelAnswered: this.#model,
      finishReason: this.#stopReason,
      usage,
      units,
      rawUsage,
      usageFlags: flags,
      serviceTier: tier,
      reportedCostPico: null,
    };
  }

  #usage(): MessageUsage {
    return this.#rawUsage === null ? NO_MESSAGE_USAGE : normalizeMessageUsage(this.#rawUsage);
  }

  #text(value: unknown): void {
    const text = textOf(value);
    if (text === null) return;
    this.#textLength += text.length;
    this.#emit({ kind: 'text', choice: 0, text });
  }

  #thinking(value: unknown): void {
    const text = textOf(value);
    if (text !== null) this.#emit({ kind: 'thinking', choice: 0, text });
  }

  #signature(value: unknown): void {
    const signature = textOf(value);
    if (signature !== null) this.#emit({ kind: 'thinking_signature', choice: 0, signature });
  }

  /** Told at the end of its block, which is what rests on it. */
  #cite(citation: unknown): void {
    if (!isFields(citation)) return;
    const { title, document_title, url, source, cited_text } = citation;
    this.#citations.push({
      title: textOf(title) ?? textOf(document_title),
      url: textOf(url) ?? textOf(source),
      quoted: textOf(cited_text),
      start: null,
      end: null,
    });
  }
}
