import type { BookEntry, BookOutcome } from './book-entry.ts';
import type { TokenCounts } from './token-counts.ts';

/** Sums of token counts, and over how many answers. */
class TokenSums {
  answers = 0;
  promptTokens = 0;
  cachedTokens = 0;
  cacheWriteTokens = 0;
  audioInputTokens = 0;
  completionTokens = 0;
  reasoningTokens = 0;
  audioOutputTokens = 0;

  add(counts: TokenCounts): void {
    this.answers++;
    this.promptTokens += counts.promptTokens;
    this.cachedTokens += counts.cachedTokens;
    this.cacheWriteTokens += counts.cacheWriteTokens ?? 0;
    this.audioInputTokens += counts.audioInputTokens;
    this.completionTokens += counts.completionTokens;
    this.reasoningTokens += counts.reasoningTokens;
    this.audioOutputTokens += counts.audioOutputTokens;
  }
}

/** Running totals over entries of the books. Sums stay exact up to 2^53 tokens. */
export class BookTotals {
  #requests = 0;
  readonly #answered = new Map<string, number>();
  readonly #outcomes: Record<BookOutcome, number> = { finished: 0, refused: 0, cut: 0, cancelled: 0 };
  readonly #streams: Record<BookOutcome, number> = { finished: 0, refused: 0, cut: 0, cancelled: 0 };
  readonly #billed = new TokenSums();
  readonly #reported = new TokenSums();

  add(entry: BookEntry): void {
    const status = entry.status === null ? 'none' : String(entry.status);
    this.#requests++;
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
    this.#outcomes[entry.outcome]++;
    if (entry.stream) this.#streams[entry.outcome]++;
    if (entry.billed !== null) this.#billed.add(entry.billed);
    if (entry.reported !== null) this.#reported.add(entry.reported);
  }

  /** The totals as they stand, as plain data. */
  view() {
    return {
      requests: this.#requests,
      answered: Object.fromEntries(this.#answered),
      outcomes: { ...this.#outcomes },
      streams: { ...this.#streams },
      billed: { ...this.#billed },
      reported: { ...this.#reported },
    };
  }
}
