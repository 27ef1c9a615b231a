import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { LedgerTransaction } from './ledger-store.ts';

/** Where dead letters wait for what a person wants of them. Errors are those of PostgreSQL, as they are of the books. */
export interface DeadLetterStore {
  /** Letters that are to be taken again, those asked for first in front; at most `limit`. */
  queued(limit: number): Promise<readonly QueuedLetter[]>;
  /**
   * Decides a queued letter in one transaction of the books, once: the letter is locked first, and what `judge` writes commits
   * together with the fate it comes to and the audit event that tells of it.
   * @returns null where it is no longer queued, or another process has it in hand: nothing was written then.
   */
  settle(letter: QueuedLetter, judge: (books: LedgerTransaction) => Promise<LetterFate>): Promise<LetterFate | null>;
  /** How many letters are open or queued, by reason. */
  countUnsettled(): Promise<ReadonlyMap<string, number>>;
}

export interface QueuedLetter {
  /** uuid. */
  readonly id: string;
  readonly topic: string;
  /** uuid. */
  readonly organizationId: string | null;
  /** As it came; texts are without what PostgreSQL cannot store. */
  readonly record: StoredRecord;
}

/** What became of a letter that was taken again. */
export type LetterFate =
  | { readonly kind: 'posted'; readonly requestId: string }
  | { readonly kind: 'open'; readonly reason: string; readonly detail: string };
