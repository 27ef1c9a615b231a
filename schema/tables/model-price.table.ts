import type { ColumnType } from 'kysely';

/** Which price version holds for a model from when on. */
export interface ModelPriceTable {
  model_id: ColumnType<string, string, never>;
  valid_from: ColumnType<Date, Date, never>;
  price_version: ColumnType<string, string, never>;
  source: ColumnType<string, string, never>;
  created_at: ColumnType<Date, Date, never>;
}
