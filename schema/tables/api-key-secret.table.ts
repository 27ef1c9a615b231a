import type { ColumnType } from 'kysely';

/** One secret of a key, as its HMAC; a key has at most two that live. */
export interface ApiKeySecretTable {
  id: ColumnType<string, string, never>;
  api_key_id: ColumnType<string, string, never>;
  hash: ColumnType<Buffer, Buffer, never>;
  hash_version: ColumnType<number, number, never>;
  display: ColumnType<string, string, never>;
  created_at: ColumnType<Date, Date, never>;
  expires_at: Date | null;
  revoked_at: Date | null;
  /** When it was handed in as leaked, which revoked it. */
  leaked_at: ColumnType<Date | null, never, Date | null>;
}
