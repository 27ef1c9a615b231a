import type { ColumnType } from 'kysely';

/** One row: which database this is. While `reconciling_since` is set it grants nothing. */
export interface LeaseGenerationTable {
  only: ColumnType<boolean, never, never>;
  generation: ColumnType<bigint, never, never>;
  timeline: ColumnType<string, never, never>;
  system_identifier: ColumnType<bigint, never, never>;
  server_started_at: ColumnType<Date, never, never>;
  reconciling_since: ColumnType<Date | null, never, never>;
}
