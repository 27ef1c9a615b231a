import type { ColumnType } from 'kysely';

/** What a node told last of what it holds for requests in flight. Written by `lease_tell_open`; read by tenants through `lease_open_holds`. */
export interface LeaseOpenReportTable {
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  told_at: ColumnType<Date, never, never>;
  counters: ColumnType<unknown, never, never>;
  oldest: ColumnType<unknown, never, never>;
}
