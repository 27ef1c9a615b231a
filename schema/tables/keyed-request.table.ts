import type { ColumnType } from 'kysely';

/** A request with an `Idempotency-Key`, and its answer, for a day. Written by functions of migrations/0022_keyed_requests.sql alone. */
export interface KeyedRequestTable {
  organization_id: ColumnType<string, never, never>;
  key_hash: ColumnType<Buffer, never, never>;
  body_hash: ColumnType<Buffer, never, never>;
  request_id: ColumnType<string, never, never>;
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  state: ColumnType<'running' | 'kept' | 'not_kept', never, never>;
  cause: ColumnType<string | null, never, never>;
  /** Sealed. */
  answer: ColumnType<Buffer | null, never, never>;
  answer_bytes: ColumnType<number, never, never>;
  claimed_at: ColumnType<Date, never, never>;
  ended_at: ColumnType<Date | null, never, never>;
}
