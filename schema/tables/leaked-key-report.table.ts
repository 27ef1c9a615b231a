import type { ColumnType } from 'kysely';

/** A secret that was handed in as leaked and is not looked up yet. The row goes when it is. */
export interface LeakedKeyReportTable {
  /** HMAC-SHA-256 under the pepper. */
  hash: ColumnType<Buffer, Buffer, never>;
  source: ColumnType<string | null, string | null, never>;
  url: ColumnType<string | null, string | null, never>;
  address: ColumnType<string | null, string | null, never>;
  user_agent: ColumnType<string | null, string | null, never>;
  reported_at: ColumnType<Date, Date, never>;
}
