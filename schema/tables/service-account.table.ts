import type { ColumnType } from 'kysely';

/** A program that owns keys of kind `sa`; none of them works while it is disabled or archived. */
export interface ServiceAccountTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  name: string;
  disabled_at: Date | null;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
