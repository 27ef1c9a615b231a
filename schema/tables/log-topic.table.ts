import type { ColumnType } from 'kysely';

/** Partition count of a topic as first seen. */
export interface LogTopicTable {
  topic: ColumnType<string, string, never>;
  partitions: ColumnType<number, number, never>;
}
