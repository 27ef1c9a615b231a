import type { ColumnType } from 'kysely';

/** What was settled on a counter, and how much of it no debit covered. Written by `lease_post` and `lease_correct` alone. */
export interface CounterTotalTable {
  counter_id: ColumnType<string, never, never>;
  organization_id: ColumnType<string, never, never>;
  settled: ColumnType<bigint, never, never>;
  excess: ColumnType<bigint, never, never>;
}
