import type { ColumnType } from 'kysely';

/** A person who may own keys, so that usage can be told by person. */
export interface UserTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  email: string;
  name: string;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
