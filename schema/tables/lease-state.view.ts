import type { ColumnType } from 'kysely';

/** A view: every lease with what follows from its row and its postings. */
export interface LeaseStateView {
  counter_id: ColumnType<string, never, never>;
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  organization_id: ColumnType<string, never, never>;
  granted: ColumnType<bigint, never, never>;
  returned: ColumnType<bigint, never, never>;
  room: ColumnType<bigint, never, never>;
  posted: ColumnType<bigint, never, never>;
  held: ColumnType<bigint, never, never>;
  lost: ColumnType<bigint, never, never>;
  uncovered: ColumnType<bigint, never, never>;
  unproven: ColumnType<bigint, never, never>;
  granted_at: ColumnType<Date | null, never, never>;
  closed_at: ColumnType<Date | null, never, never>;
  cause: ColumnType<string | null, never, never>;
  state: ColumnType<'open' | 'recalled' | 'silent' | 'closed' | 'unproven' | 'lost' | 'done', never, never>;
}
