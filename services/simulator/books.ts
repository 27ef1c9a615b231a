import type { BookEntry } from './book-entry.ts';
import { BookTotals } from './book-totals.ts';

type NumberedBookEntry = BookEntry & { readonly sequence: number };

/** Models and credentials beyond this many are counted together under this name. */
const maximumGroups = 1_000;
const otherGroup = '(other)';

/**
 * The provider's own books: totals without end, and the latest entries. Sequence numbers start at 1 and never go back, not even by `reset`.
 *
 * Bound: `maximumEntries` entries; the oldest goes first and is counted in `dropped`.
 */
export class Books {
  readonly #maximumEntries: number;
  readonly #ring: NumberedBookEntry[] = [];
  #sequence = 0;
  /** How many entries were written since the last reset. */
  #written = 0;
  #active = 0;
  #all = new BookTotals();
  #models = new Map<string, BookTotals>();
  #credentials = new Map<string, BookTotals>();

  constructor(maximumEntries = 100_000) {
    this.#maximumEntries = maximumEntries;
  }

  /** A billable request has come in; `record` follows once. */
  open(): void {
    this.#active++;
  }

  /** Writes down how it ended. */
  record(entry: BookEntry): void {
    this.#active--;
    this.#sequence++;
    this.#written++;
    this.#ring[this.#sequence % this.#maximumEntries] = { sequence: this.#sequence, ...entry };
    this.#all.add(entry);
    group(this.#models, entry.model).add(entry);
    group(this.#credentials, entry.credential).add(entry);
  }

  /** Totals since the start or the last reset, over all and by model and credential, as `GET /books` shows them. */
  summary() {
    const kept = Math.min(this.#written, this.#maximumEntries);
    return {
      active: this.#active,
      ...this.#all.view(),
      entries: { kept, dropped: this.#written - kept, firstSequence: this.#sequence - kept + 1, lastSequence: this.#sequence },
      models: views(this.#models),
      credentials: views(this.#credentials),
    };
  }

  /**
   * Entries after a sequence number, oldest first, at most `limit`. `missed` counts those that were asked for but already dropped;
   * `lastSequence` is where to go on.
   */
  entries(after: number, limit: number) {
    const first = this.#sequence - Math.min(this.#written, this.#maximumEntries) + 1;
    const from = Math.max(after + 1, first);
    const found: NumberedBookEntry[] = [];
    for (let sequence = from; sequence <= this.#sequence && found.length < limit; sequence++) {
      const entry = this.#ring[sequence % this.#maximumEntries];
      if (entry !== undefined) found.push(entry);
    }
    const oldestSinceReset = this.#sequence - this.#written + 1;
    return {
      entries: found,
      missed: Math.max(0, first - Math.max(after + 1, oldestSinceReset)),
      lastSequence: found.at(-1)?.sequence ?? after,
    };
  }

  /** Forgets everything but the sequence and the requests still being answered. */
  reset(): void {
    this.#written = 0;
    this.#ring.length = 0;
    this.#all = new BookTotals();
    this.#models = new Map();
    this.#credentials = new Map();
  }
}

function group(groups: Map<string, BookTotals>, name: string): BookTotals {
  const found = groups.get(name);
  if (found !== undefined) return found;
  if (groups.size >= maximumGroups && name !== otherGroup) return group(groups, otherGroup);
  const created = new BookTotals();
  groups.set(name, created);
  return created;
}

function views(groups: Map<string, BookTotals>) {
  return Object.fromEntries([...groups].map(([name, totals]) => [name, totals.view()]));
}
