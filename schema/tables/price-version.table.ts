import type { ColumnType } from 'kysely';

/** An immutable price sheet, named by the hash of its content. */
export interface PriceVersionTable {
  name: ColumnType<string, string, never>;
  sheet: ColumnType<unknown, unknown, never>;
  created_at: ColumnType<Date, Date, never>;
}
