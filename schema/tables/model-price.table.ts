import type { ColumnType } from 'kysely';

/**
 * Which price version holds for a model from when on: for everybody, or for one organization, whose price wins. There a null
 * version ends it.
 */
export interface ModelPriceTable {
  model_id: ColumnType<string, string, never>;
  organization_id: ColumnType<string | null, string | null | undefined, never>;
  valid_from: ColumnType<Date, Date, never>;
  price_version: ColumnType<string | null, string | null, never>;
  source: ColumnType<string, string, never>;
  created_at: ColumnType<Date, Date, never>;
}
