import type { Selectable } from 'kysely';
import type { BudgetTable } from '../../tables/budget.table.ts';
import type { BudgetAlertTable } from '../../tables/budget-alert.table.ts';
import type { BudgetDefinition, BudgetLimit, BudgetUnit } from '../../values/budget.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ByIds } from './by-ids.ts';
import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

export type BudgetRow = Selectable<BudgetTable>;
export type BudgetAlertRow = Selectable<BudgetAlertTable>;

/** Reads of one organization's budgets, in order of creation, and of their alerts, newest first. */
export interface BudgetReads {
  readonly budgetsById: ByIds<BudgetRow>;
  readonly budgets: (page: PageRequest, filter: { readonly includeArchived: boolean }) => Promise<Page<BudgetRow>>;
  readonly alertsById: ByIds<BudgetAlertRow>;
  readonly budgetAlerts: (page: PageRequest, filter: { readonly budgetId: string | null }) => Promise<Page<BudgetAlertRow>>;
}

/** A budget as it is asked for. */
export type BudgetFields = { readonly name: string } & Omit<BudgetDefinition, 'limits'> & {
    readonly limits: readonly Omit<BudgetLimit, 'id'>[];
  };

/** Changes of budgets' definitions. Ids are uuids. */
export interface BudgetChanges {
  readonly budgetCreate: (input: Idempotent & BudgetFields) => Promise<ChangeOutcome<null>>;
  readonly budgetUpdate: (input: ExpectingVersion & Partial<BudgetFields>) => Promise<ChangeOutcome<null>>;
  readonly budgetReset: (input: ExpectingVersion & { readonly reason: string }) => Promise<ChangeOutcome<null>>;
  readonly budgetRaise: (
    input: ExpectingVersion &
      Pick<BudgetLimit, 'unit' | 'window'> & { readonly by: string; readonly until: Date | null; readonly reason: string },
  ) => Promise<ChangeOutcome<null>>;
  readonly budgetTopUp: (
    input: Idempotent & { readonly id: string; readonly unit: BudgetUnit; readonly by: string; readonly reason: string },
  ) => Promise<ChangeOutcome<null>>;
  readonly budgetArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
}
