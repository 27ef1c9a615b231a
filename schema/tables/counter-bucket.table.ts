import type { ColumnType } from 'kysely';

/** What was posted in a sixtieth of a rolling window. Written by posting; a reconciliation adds what has none. */
export interface CounterBucketTable {
  counter_id: ColumnType<string, never, never>;
  began_at: ColumnType<Date, never, never>;
  organization_id: ColumnType<string, never, never>;
  debit: ColumnType<bigint, never, never>;
  excess: ColumnType<bigint, never, never>;
}
