import type { ColumnType } from 'kysely';

/** What authorizes an organization with a provider. A reader may select every column but `sealed` and `data_key_id`. */
export interface ProviderCredentialTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  provider_id: ColumnType<string, string, never>;
  name: string;
  sealed: Buffer;
  data_key_id: string;
  /** Last four characters of the secret; empty where it is too short to show any. */
  hint: string;
  rotated_at: Date;
  verified_at: Date | null;
  verify_error: string | null;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
