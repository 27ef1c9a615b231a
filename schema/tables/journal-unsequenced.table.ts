import type { ColumnType } from 'kysely';

/** Committed journal rows without a position; filled by triggers, emptied by the sequencer. */
export interface JournalUnsequencedTable {
  item_id: ColumnType<string, string, never>;
  item_kind: ColumnType<'entry' | 'audit' | 'alert', 'entry' | 'audit' | 'alert', never>;
  organization_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  log_partition: ColumnType<number, number, never>;
  log_offset: ColumnType<bigint, bigint, never>;
}
