import type { ColumnType } from 'kysely';
import type { RateLimitUnit } from '../values/rate-limit.ts';

/** A view: `settled + held = committed + overrun` and `committed = expected`, at any moment. Amounts are in the unit of the limit. */
export interface CounterStateView {
  id: ColumnType<string, never, never>;
  organization_id: ColumnType<string, never, never>;
  limit_id: ColumnType<string, never, never>;
  budget_id: ColumnType<string, never, never>;
  unit: ColumnType<RateLimitUnit, never, never>;
  window_key: ColumnType<string, never, never>;
  group_key: ColumnType<string, never, never>;
  starts_at: ColumnType<Date | null, never, never>;
  ends_at: ColumnType<Date | null, never, never>;
  amount: ColumnType<bigint, never, never>;
  settled: ColumnType<bigint, never, never>;
  held: ColumnType<bigint, never, never>;
  lost: ColumnType<bigint, never, never>;
  overrun: ColumnType<bigint, never, never>;
  committed: ColumnType<bigint, never, never>;
  expected: ColumnType<bigint, never, never>;
  cap: ColumnType<bigint, never, never>;
  version: ColumnType<bigint, never, never>;
  limit_version: ColumnType<number, never, never>;
  wanted_at: ColumnType<Date | null, never, never>;
  sealed_at: ColumnType<Date | null, never, never>;
}
