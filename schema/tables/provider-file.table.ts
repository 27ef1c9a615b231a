import type { ColumnType } from 'kysely';

/** A file that an application keeps at a provider (migrations/0038_provider_files.sql). */
export interface ProviderFileTable {
  organization_id: ColumnType<string, string, never>;
  /** As the provider names it. */
  id: ColumnType<string, string, never>;
  provider_id: ColumnType<string, string, never>;
  /** Null: what the provider itself is called with. */
  credential_id: ColumnType<string | null, string | null, never>;
  purpose: ColumnType<string | null, string | null, never>;
  /** For the input of a batch, what each line asks for: `provider/model`, and how they name it. */
  model: ColumnType<string | null, string | null, never>;
  model_requested: ColumnType<string | null, string | null, never>;
  /** As the provider described it last, JSON; null until it is asked. */
  object: ColumnType<unknown, string | null, string>;
  created_at: ColumnType<Date, Date, never>;
}
