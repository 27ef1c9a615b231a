import type { BookEntry, BookOutcome } from './book-entry.ts';
import type { ToldCounts } from './token-counts.ts';

/** Sums of token counts, and over how many answers. What was not told adds nothing. */
class TokenSums {
  answers = 0;
  promptTokens = 0;
  cachedTokens = 0;
  cacheWriteTokens = 0;
  audioInputTokens = 0;
  completionTokens = 0;
  reasoningTokens = 0;
  audioOutputTokens = 0;

  add(counts: ToldCounts): void {
    this.answers++;
    this.promptTokens += counts.promptTokens ?? 0;
    this.cachedTokens += counts.cachedTokens ?? 0;
    this.cacheWriteTokens += counts.cacheWriteTokens ?? 0;
    this.audioInputTokens += counts.audioInputTokens ?? 0;
    this.completionTokens += counts.completionTokens ?? 0;
    this.reasoningTokens += counts.reasoningTokens ?? 0;
    this.audioOutputTokens += counts.audioOutputTokens ?? 0;
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
