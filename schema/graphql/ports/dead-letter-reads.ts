import type { Selectable } from 'kysely';
import type { RequestSettled } from '../../events/request-settled.v1.ts';
import type { DeadLetterTable } from '../../tables/dead-letter.table.ts';
import type { DeadLetterState } from '../../values/dead-letter-state.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ByIds } from './by-ids.ts';

/** A dead letter without its bytes and headers, which can be a megabyte and are loaded only where they are asked for. */
export type DeadLetterRow = Omit<Selectable<DeadLetterTable>, 'headers' | 'value' | 'value_hash' | 'value_bytes' | 'settled_holds'> & {
  readonly has_subject: boolean;
  /** Of the value, whether it still stands or was erased; SHA-256 in hex. */
  readonly size: number;
  readonly sha256: string;
};

export interface DeadLetterFilter {
  readonly states: readonly DeadLetterState[] | null;
  readonly reasons: readonly string[] | null;
  /** uuid. */
  readonly organizationId: string | null;
  /** false: those that no organization could be told of. */
  readonly hasOrganization: boolean | null;
  readonly from: Date | null;
  readonly to: Date | null;
}

/**
 * Reads of dead letters: of the viewer's organization, and of every one, and of none, where the viewer administers the
 * installation. Newest first.
 */
export interface DeadLetterReads {
  readonly deadLettersById: ByIds<DeadLetterRow>;
  readonly deadLetters: (page: PageRequest, filter: DeadLetterFilter) => Promise<Page<DeadLetterRow>>;
  /** Empty once the letter is closed. */
  readonly headersById: ByIds<Readonly<Record<string, string>>>;
  /** Null once the letter is closed. */
  readonly valuesById: ByIds<Buffer>;
  /** Empty unless it was discarded. */
  readonly settledHoldsById: ByIds<RequestSettled['holds']>;
}
