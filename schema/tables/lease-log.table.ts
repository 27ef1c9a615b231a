import type { ColumnType } from 'kysely';

/** Every change of `committed` of a counter, append-only: an update is not granted either and is refused by a trigger. A purge makes the first of them one. */
export interface LeaseLogTable {
  counter_id: ColumnType<string, never, never>;
  version: ColumnType<bigint, never, never>;
  organization_id: ColumnType<string, never, never>;
  kind: ColumnType<'grant' | 'return' | 'close' | 'credit' | 'age' | 'release' | 'reconcile' | 'summary', never, never>;
  node_id: ColumnType<string | null, never, never>;
  epoch: ColumnType<bigint | null, never, never>;
  amount: ColumnType<bigint, never, never>;
  committed: ColumnType<bigint, never, never>;
  cap: ColumnType<bigint, never, never>;
  cause: ColumnType<string | null, never, never>;
  recorded_at: ColumnType<Date, never, never>;
}
