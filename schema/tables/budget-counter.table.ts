import type { ColumnType } from 'kysely';

/** One limit x window x group value. Written by the functions of leasing alone; people read `counter_states`. */
export interface BudgetCounterTable {
  id: ColumnType<string, never, never>;
  organization_id: ColumnType<string, never, never>;
  limit_id: ColumnType<string, never, never>;
  window_key: ColumnType<string, never, never>;
  group_key: ColumnType<string, never, never>;
  starts_at: ColumnType<Date | null, never, never>;
  ends_at: ColumnType<Date | null, never, never>;
  committed: ColumnType<bigint, never, never>;
  cap: ColumnType<bigint, never, never>;
  version: ColumnType<bigint, never, never>;
  wanted_at: ColumnType<Date | null, never, never>;
  sealed_at: ColumnType<Date | null, never, never>;
  window_seconds: ColumnType<bigint | null, never, never>;
  aged_until: ColumnType<Date | null, never, never>;
  aged_debit: ColumnType<bigint, never, never>;
  aged_excess: ColumnType<bigint, never, never>;
  folded_until: ColumnType<Date | null, never, never>;
  folded_debit: ColumnType<bigint, never, never>;
  folded_excess: ColumnType<bigint, never, never>;
  /** When leases, postings and log became one entry. */
  summed_up_at: ColumnType<Date | null, never, never>;
}
