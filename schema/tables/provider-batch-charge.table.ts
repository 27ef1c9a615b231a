import type { ColumnType } from 'kysely';

/** An event that a batch is charged by, until the ledger has it (migrations/0039_provider_batches.sql). */
export interface ProviderBatchChargeTable {
  entry_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  organization_id: ColumnType<string, string, never>;
  request_id: ColumnType<string, string, never>;
  log_partition: ColumnType<number, number, never>;
  log_key: ColumnType<string, string, never>;
  /** JSON. */
  headers: ColumnType<unknown, string, never>;
  value: ColumnType<Buffer, Buffer, never>;
}
