import type { ColumnType } from 'kysely';

/** Personal data of a request, outside of every leaf and erasable. */
export interface RequestSubjectTable {
  request_id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  salt: ColumnType<Buffer, Buffer, never>;
  end_user: ColumnType<string | null, string | null, never>;
  address: ColumnType<string | null, string | null, never>;
  metadata: ColumnType<Readonly<Record<string, string>> | null, Readonly<Record<string, string>> | null, never>;
  /** What stands for the end user in keys of counters; null where nothing counted by end user. */
  end_user_alias: ColumnType<string | null, string | null, never>;
}
