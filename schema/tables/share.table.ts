import type { ColumnType } from 'kysely';

/** What a process has of a shared limit for one group, as it last told. Written by `share_tell` alone. */
export interface ShareTable {
  limit_id: ColumnType<string, never, never>;
  group_key: ColumnType<string, never, never>;
  node_id: ColumnType<string, never, never>;
  organization_id: ColumnType<string, never, never>;
  share: ColumnType<bigint, never, never>;
  used: ColumnType<bigint, never, never>;
  want: ColumnType<bigint, never, never>;
  need: ColumnType<bigint, never, never>;
  told_at: ColumnType<Date, never, never>;
  lapsed_at: ColumnType<Date | null, never, never>;
}
