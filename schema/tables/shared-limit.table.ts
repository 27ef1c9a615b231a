import type { ColumnType } from 'kysely';
import type { RateLimitUnit } from '../values/rate-limit.ts';

/** A limit of a rate limit that proxies have shares of, too short-lived to be counted here. */
export interface SharedLimitTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  rate_limit_id: ColumnType<string, string, never>;
  unit: ColumnType<RateLimitUnit, RateLimitUnit, never>;
  amount: bigint;
  /** Null: what is let through counts as long as it runs. */
  period_ms: ColumnType<number | null, number | null, never>;
  sealed_at: Date | null;
}
