import type { ColumnType } from 'kysely';

/** The key an organization's credentials are sealed with, sealed under a key derived from the master key. */
export interface DataKeyTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  sealed: ColumnType<Buffer, Buffer, never>;
  created_at: ColumnType<Date, Date, never>;
}
