import type { ColumnType, Generated } from 'kysely';

/** Where a threshold may have been come to since anybody looked: a counter or a limit. Filled by triggers, emptied by who tells alerts. */
export interface ThresholdCheckTable {
  counter_id: ColumnType<string | null, string | null, never>;
  limit_id: ColumnType<string | null, string | null, never>;
  due_at: Generated<Date>;
}
