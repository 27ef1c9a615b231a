import type { ColumnType } from 'kysely';

export type RouteStrategy = 'single' | 'weighted';

/** A name of an organization's own behind which one or more models stand. */
export interface RouteTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  name: string;
  strategy: RouteStrategy;
  /** See schema/values/output-cap.ts; null: the model's own. */
  max_output_tokens: bigint | null;
  injects_max_tokens: boolean;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
