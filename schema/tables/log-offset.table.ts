import type { ColumnType } from 'kysely';

/** Where a partition stands and who may move it. */
export interface LogOffsetTable {
  topic: ColumnType<string, string, never>;
  partition: ColumnType<number, number, never>;
  next_offset: bigint;
  owner: string;
  epoch: bigint;
  updated_at: Date;
}
