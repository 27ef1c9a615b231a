import type { ColumnType } from 'kysely';

/** A process that has shares. Written by `share_tell` alone. */
export interface ShareHolderTable {
  node_id: ColumnType<string, never, never>;
  epoch: ColumnType<bigint, never, never>;
  sequence: ColumnType<bigint, never, never>;
  /** From then on its shares are nobody's, unless it is heard before. */
  silent_at: ColumnType<Date, never, never>;
  lapsed_at: ColumnType<Date | null, never, never>;
}
