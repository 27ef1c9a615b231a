import type { ColumnType } from 'kysely';

/** What somebody changed in the registry, written in the same transaction as the change. */
export interface AuditEventTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  action: ColumnType<string, string, never>;
  actor: ColumnType<unknown, unknown, never>;
  targets: ColumnType<unknown, unknown, never>;
  changes: ColumnType<unknown, unknown, never>;
  context: ColumnType<unknown, unknown, never>;
  body: ColumnType<Buffer, Buffer, never>;
  body_hash: ColumnType<Buffer, Buffer, never>;
}
