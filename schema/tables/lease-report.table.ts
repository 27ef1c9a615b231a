import type { ColumnType } from 'kysely';

/** What a node told of its leases, until every node has. Written by the functions of leasing alone. */
export interface LeaseReportTable {
  node_id: ColumnType<string, never, never>;
  leases: ColumnType<unknown, never, never>;
  torn: ColumnType<bigint[], never, never>;
}
