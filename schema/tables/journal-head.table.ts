import type { ColumnType } from 'kysely';

/** Next free position of an organization. */
export interface JournalHeadTable {
  organization_id: ColumnType<string, string, never>;
  next_position: bigint;
}
