import type { ColumnType, Generated } from 'kysely';
import type { RateLimitUnit } from '../values/rate-limit.ts';

/** A limit of a budget or, by `budget_id` too, of a rate limit. Amounts are pico-USD, tokens or requests; only the database computes windows (`budget_window`). */
export interface BudgetLimitTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  budget_id: ColumnType<string, string, never>;
  unit: ColumnType<RateLimitUnit, RateLimitUnit, never>;
  amount: bigint;
  window_kind: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | 'rolling' | 'lifetime';
  /** IANA name. */
  window_zone: Generated<string>;
  /** `YYYY-MM-DDTHH:MM:SS` in local time: a moment at which a window of the calendar begins. */
  window_anchor: Generated<string>;
  window_seconds: bigint | null;
  /** Grows with a reset and with a change of the window: then the next ask makes new counters. */
  segment: Generated<number>;
  /** Grows with each change of amount, and by two with each raise, whose end counts as one (`budget_version`). */
  version: Generated<number>;
  /** On top of `amount` until then, by the database's clock. */
  raised: Generated<bigint>;
  raised_until: Generated<Date | null>;
  updated_at: Generated<Date>;
  sealed_at: Date | null;
}
