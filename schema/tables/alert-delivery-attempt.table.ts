import type { ColumnType } from 'kysely';

/** One try of a delivery. Without `ended_at` it is under way, or its process died over it. */
export interface AlertDeliveryAttemptTable {
  delivery_id: ColumnType<string, string, never>;
  /** From 1. */
  attempt: ColumnType<number, number, never>;
  started_at: ColumnType<Date, Date, never>;
  ended_at: Date | null;
  /** Of the answer, HTTP or SMTP; null where there was none. */
  status: number | null;
  /** Why it failed, in our words and never in the receiver's; null = it did not. */
  error: string | null;
}
