import type { ColumnType } from 'kysely';

/** What a node was given of a counter, in cumulative sums. Written by the functions of leasing alone. */
export interface LeaseTable {
  counter_id: ColumnType<string, never, never>;
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  organization_id: ColumnType<string, never, never>;
  granted: ColumnType<bigint, never, never>;
  returned: ColumnType<bigint, never, never>;
  unproven: ColumnType<bigint, never, never>;
  granted_at: ColumnType<Date | null, never, never>;
  closed_at: ColumnType<Date | null, never, never>;
  cause: ColumnType<string | null, never, never>;
}
