import type { ColumnType } from 'kysely';

/** Debits by lease, whether or not the lease is known. Written by `lease_post` alone. */
export interface LeasePostingTable {
  counter_id: ColumnType<string, never, never>;
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  organization_id: ColumnType<string, never, never>;
  posted: ColumnType<bigint, never, never>;
}
