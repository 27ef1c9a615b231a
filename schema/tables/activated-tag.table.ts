import type { ColumnType } from 'kysely';

/** A tag key that has rollups of its own. */
export interface ActivatedTagTable {
  organization_id: ColumnType<string, string, never>;
  tag_key: ColumnType<string, string, never>;
  activated_at: ColumnType<Date, Date, never>;
}
