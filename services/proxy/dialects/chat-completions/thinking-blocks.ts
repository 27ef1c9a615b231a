import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { ThinkingBlock } from './answer-words.ts';

/** Thinking kept of a choice at most, in characters; a longer one is passed on without its signatures. */
const MAX_KEPT = 4 * 1024 * 1024;

/**
 * Keeps the thinking of a choice together with its signatures, which come after it: clients that put a stream together keep only what comes in one piece.
 */
export class ThinkingBlocks {
  #blocks: ThinkingBlock[] = [];
  #open: Extract<ThinkingBlock, { type: 'thinking' }> | null = null;
  #kept = 0;
  #isSigned = false;

  take(event: Extract<AnswerEvent, { kind: 'thinking' | 'thinking_signature' | 'redacted_thinking' }>): void {
    if (event.kind === 'redacted_thinking') {
      this.#open = null;
      this.#isSigned = true;
      this.#keep(event.data.length);
      this.#blocks.push({ type: 'redacted_thinking', data: event.data });
      return;
    }
    if (this.#open === null) {
      this.#open = { type: 'thinking', thinking: '', signature: null };
      this.#blocks.push(this.#open);
    }
    if (event.kind === 'thinking') {
      this.#keep(event.text.length);
      if (this.#kept <= MAX_KEPT) this.#open.thinking += event.text;
      return;
    }
    this.#open.signature = event.signature;
    this.#open = null;
    this.#isSigned = true;
  }

  /** All of them, where there is something that proves them; null: bare thinking needs no blocks. */
  signed(): readonly ThinkingBlock[] | null {
    return this.#isSigned && this.#kept <= MAX_KEPT ? this.#blocks : null;
  }

  #keep(characters: number): void {
    this.#kept += characters;
    if (this.#kept > MAX_KEPT) this.#blocks = [];
  }
}
