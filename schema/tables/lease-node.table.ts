import type { ColumnType } from 'kysely';

/** A proxy process with its spool folder, as leasing knows it. Written by the functions of leasing alone. */
export interface LeaseNodeTable {
  id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  incarnation: ColumnType<string, never, never>;
  beat: ColumnType<bigint, never, never>;
  nonce: ColumnType<string | null, never, never>;
  seen_at: ColumnType<Date, never, never>;
  lost_at: ColumnType<Date | null, never, never>;
}
