import type { Selectable } from 'kysely';
import type { LedgerEntryTable } from '../../tables/ledger-entry.table.ts';
import type { Page, PageRequest } from '../page.ts';
import type { RequestFilter } from './request-filter.ts';

/** A ledger entry without its bytes, which can be 64 KiB and are loaded only where something in them is asked for. */
export type EntryRow = Omit<Selectable<LedgerEntryTable>, 'body' | 'body_hash' | 'log_partition' | 'log_offset'>;

export interface EntryFilter {
  readonly requests: RequestFilter | null;
  readonly kinds: readonly EntryRow['kind'][] | null;
}

/** Reads of the viewer's organization's ledger. */
export interface JournalReads {
  readonly entriesById: (ids: readonly string[]) => Promise<readonly (EntryRow | null)[]>;
  /** Newest first, or oldest first. */
  readonly entries: (page: PageRequest, filter: EntryFilter, oldestFirst: boolean) => Promise<Page<EntryRow>>;
  /** The bytes of entries of kind `usage`. */
  readonly bodiesById: (ids: readonly string[]) => Promise<readonly (Buffer | null)[]>;
  /** Positions in the organization's journal; null while a row waits for the sequencer. */
  readonly positionsOf: (kind: 'entry' | 'audit' | 'alert', ids: readonly string[]) => Promise<readonly (bigint | null)[]>;
}
