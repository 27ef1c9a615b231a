import type { ColumnType } from 'kysely';

/** What counters of a limit came to that a purge removed, by the day on which their windows ended. Written by `purge_counters` alone. */
export interface PurgedCounterTable {
  limit_id: ColumnType<string, never, never>;
  /** In UTC. */
  ended_on: ColumnType<string, never, never>;
  organization_id: ColumnType<string, never, never>;
  counters: ColumnType<bigint, never, never>;
  settled: ColumnType<bigint, never, never>;
  /** Of one counter. */
  most_settled: ColumnType<bigint, never, never>;
  overrun: ColumnType<bigint, never, never>;
  log_entries: ColumnType<bigint, never, never>;
  purged_at: ColumnType<Date, never, never>;
}
