import type { ColumnType } from 'kysely';

/** One model a route may go to; replaced as a whole with every change of its route. */
export interface RouteTargetTable {
  route_id: ColumnType<string, string, never>;
  position: ColumnType<number, number, never>;
  model_id: ColumnType<string, string, never>;
  weight: ColumnType<number, number, never>;
  credential_id: ColumnType<string | null, string | null, never>;
}
