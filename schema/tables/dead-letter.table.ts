import type { ColumnType } from 'kysely';
import type { RequestSettled } from '../events/request-settled.v1.ts';
import type { DeadLetterState } from '../values/dead-letter-state.ts';

/** An event that could not be posted, with its original bytes for as long as it is open. */
export interface DeadLetterTable {
  id: ColumnType<string, string, never>;
  topic: ColumnType<string, string, never>;
  partition: ColumnType<number, number, never>;
  log_offset: ColumnType<bigint, bigint, never>;
  reason: ColumnType<string, string, never>;
  detail: ColumnType<string, string, never>;
  organization_id: ColumnType<string | null, string | null, never>;
  /** Erased when the letter is closed, as are `headers` and `value`. */
  record_key: ColumnType<string | null, string | null, null>;
  headers: ColumnType<Readonly<Record<string, string>>, Readonly<Record<string, string>>, '{}'>;
  value: ColumnType<Buffer | null, Buffer, null>;
  recorded_at: ColumnType<Date, Date | undefined, never>;
  state: ColumnType<DeadLetterState, never, DeadLetterState>;
  /** SHA-256 and length of the erased value; null while it stands in `value`. */
  value_hash: ColumnType<Buffer | null, never, Buffer>;
  value_bytes: ColumnType<number | null, never, number>;
  retries: ColumnType<number, never, number>;
  retry_requested_at: ColumnType<Date | null, never, Date>;
  /** How the latest retry ended where it was not posted. */
  retried_at: ColumnType<Date | null, never, Date>;
  retry_reason: ColumnType<string | null, never, string | null>;
  retry_detail: ColumnType<string | null, never, string | null>;
  closed_at: ColumnType<Date | null, never, Date>;
  request_id: ColumnType<string | null, never, string>;
  discard_reason: ColumnType<string | null, never, string>;
  /** What was debited of budgets and is settled since the letter was discarded, as the event has it. */
  settled_holds: ColumnType<RequestSettled['holds'], never, string>;
}
