import type { ColumnType } from 'kysely';
import type { BudgetExceededStatus } from '../values/budget-exceeded-status.ts';

/** A tenant: nothing crosses its border. */
export interface OrganizationTable {
  id: ColumnType<string, string, never>;
  slug: string;
  name: string;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
  budget_exceeded_status: ColumnType<BudgetExceededStatus, BudgetExceededStatus | undefined>;
}
