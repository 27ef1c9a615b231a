import type { ColumnType } from 'kysely';

/** Dense position of a journal row within its organization. */
export interface JournalPositionTable {
  organization_id: ColumnType<string, string, never>;
  position: ColumnType<bigint, bigint, never>;
  item_kind: ColumnType<'entry' | 'audit' | 'alert', 'entry' | 'audit' | 'alert', never>;
  item_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  sequenced_at: ColumnType<Date, Date | undefined, never>;
}
