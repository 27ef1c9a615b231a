import type { ColumnType } from 'kysely';

/** An event that could not be posted, with its original bytes. */
export interface DeadLetterTable {
  id: ColumnType<string, string, never>;
  topic: ColumnType<string, string, never>;
  partition: ColumnType<number, number, never>;
  log_offset: ColumnType<bigint, bigint, never>;
  reason: ColumnType<string, string, never>;
  detail: ColumnType<string, string, never>;
  organization_id: ColumnType<string | null, string | null, never>;
  record_key: ColumnType<string | null, string | null, never>;
  headers: ColumnType<Readonly<Record<string, string>>, Readonly<Record<string, string>>, never>;
  value: ColumnType<Buffer, Buffer, never>;
  recorded_at: ColumnType<Date, Date | undefined, never>;
}
