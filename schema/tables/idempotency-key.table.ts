import type { ColumnType } from 'kysely';

/** The answer of a mutation, replayed for 48 hours; `result` is null while it runs. */
export interface IdempotencyKeyTable {
  organization_id: ColumnType<string, string, never>;
  actor: ColumnType<string, string, never>;
  field: ColumnType<string, string, never>;
  key: ColumnType<string, string, never>;
  request_hash: ColumnType<Buffer, Buffer, never>;
  result: unknown | null;
  created_at: ColumnType<Date, Date, never>;
}
