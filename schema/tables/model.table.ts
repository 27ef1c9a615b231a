import type { ColumnType } from 'kysely';

/** What applications ask for, `provider/model`. */
export interface ModelTable {
  id: ColumnType<string, string, never>;
  provider_id: ColumnType<string, string, never>;
  name: ColumnType<string, string, never>;
  upstream_model: string;
  context_window: bigint | null;
  max_output_tokens: bigint | null;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
