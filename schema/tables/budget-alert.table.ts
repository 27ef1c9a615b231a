import type { ColumnType } from 'kysely';

/** A threshold of a limit that was come to. Append-only: an update is not granted either and is refused by a trigger. */
export interface BudgetAlertTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  budget_id: ColumnType<string, string, never>;
  limit_id: ColumnType<string, string, never>;
  counter_id: ColumnType<string, string, never>;
  kind: ColumnType<'threshold', 'threshold', never>;
  /** Hundredths of a percent of the limit. */
  threshold_basis_points: ColumnType<number, number, never>;
  /** Which time it is told of this counter, from 1. */
  occurrence: ColumnType<number, number, never>;
  /** JSON list of the values the budget groups by, or `sha256:` and the hash of one that is long; empty where it does not group. */
  group_key: ColumnType<string, string, never>;
  window_key: ColumnType<string, string, never>;
  /** Null: such a window has no beginning or no end. */
  starts_at: ColumnType<Date | null, Date | null, never>;
  ends_at: ColumnType<Date | null, Date | null, never>;
  unit: ColumnType<'usd' | 'tokens' | 'requests', 'usd' | 'tokens' | 'requests', never>;
  /** The limit with a raise that ran, in its unit, as it was when this was told; so are the two that follow. */
  amount: ColumnType<bigint, bigint, never>;
  settled: ColumnType<bigint, bigint, never>;
  held: ColumnType<bigint, bigint, never>;
  /** Null: not in this window at the rate so far, or not known. */
  projected_exhaustion_at: ColumnType<Date | null, Date | null, never>;
  created_at: ColumnType<Date, Date, never>;
}
