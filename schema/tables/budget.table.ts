import type { ColumnType } from 'kysely';
import type { BudgetDefinition } from '../values/budget.ts';

/** What an organization wants of a budget. */
export interface BudgetTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  name: string;
  definition: ColumnType<BudgetDefinition, string, string>;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
