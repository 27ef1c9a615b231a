import type { ColumnType } from 'kysely';

/** A batch that an application made at a provider (migrations/0039_provider_batches.sql). */
export interface ProviderBatchTable {
  organization_id: ColumnType<string, string, never>;
  /** Of the request that made it. */
  request_id: ColumnType<string, string, never>;
  /** As the provider names it; null until it has. */
  id: ColumnType<string | null, never, string>;
  provider_id: ColumnType<string, string, never>;
  credential_id: ColumnType<string | null, string | null, never>;
  input_file_id: ColumnType<string, string, never>;
  /** JSON (services/proxy/batches/batch-terms.ts). */
  terms: ColumnType<unknown, string, never>;
  state: ColumnType<'making' | 'running' | 'rated' | 'settled', never, 'running' | 'rated' | 'settled'>;
  /** As the provider described it last, JSON. */
  object: ColumnType<unknown, never, string>;
  due_at: ColumnType<Date, Date, Date>;
  claims: ColumnType<bigint, never, bigint>;
  failures: ColumnType<number, never, number>;
  failure: ColumnType<string | null, never, string | null>;
  created_at: ColumnType<Date, Date, never>;
}
