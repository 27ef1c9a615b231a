import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerFacts } from '../provider.ts';
import type { Reading } from './reading.ts';
import { rawUsageOf, serviceTierOf } from './response.ts';
import { normalizeUsage } from './usage.ts';

/** What the chunks of a chat completion stream say about their answer; of what is said more than once the last counts. */
export class StreamFacts {
  /** The first that a choice ended for. */
  finishReason: string | null = null;
  #modelAnswered: string | null = null;
  #serviceTier: string | null = null;
  #usage: Fields | null = null;
  /** The event that said it, with its digits. */
  #said: Buffer | string = '';

  /** @returns whether the chunk has usage in the place that is meant for it. */
  noteUsage(chunk: Fields, data: Buffer | string): boolean {
    if (isFields(chunk.usage)) {
      this.#usage = chunk.usage;
      // A copy: the event's bytes must not be kept alive by one member, nor the other way round.
      this.#said = typeof data === 'string' ? data : Buffer.from(data);
      return true;
    }
    // Groq repeats it beside its own fields; where nothing else says it, this does.
    if (isFields(chunk.x_groq) && isFields(chunk.x_groq.usage) && this.#usage === null) {
      this.#usage = chunk.x_groq.usage;
      this.#said = JSON.stringify({ usage: chunk.x_groq.usage });
    }
    return false;
  }

  noteAnswer(chunk: Fields): void {
    this.#modelAnswered = textOf(chunk.model) ?? this.#modelAnswered;
    this.#serviceTier = serviceTierOf(chunk, isFields(chunk.usage) ? chunk.usage : null) ?? this.#serviceTier;
  }

  read({ readCost }: Reading): AnswerFacts {
    const usage = this.#usage;
    const normalized = usage === null ? { usage: null, flags: ['usage_missing'] } : normalizeUsage(usage);
    return {
      modelAnswered: this.#modelAnswered,
      finishReason: this.finishReason,
      usage: normalized.usage,
      rawUsage: usage === null ? null : rawUsageOf(typeof this.#said === 'string' ? Buffer.from(this.#said, 'utf8') : this.#said),
      usageFlags: normalized.flags,
      serviceTier: this.#serviceTier,
      reportedCostPico: usage === null ? null : readCost(usage),
    };
  }
}
