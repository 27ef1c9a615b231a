import type { BudgetKey, BudgetUnit, BudgetWindow } from '../../values/budget.ts';
import type { CounterFacts } from '../../values/budget-state.ts';
import type { Page, PageRequest } from '../page.ts';

/** One limit of a budget, for one group, in one window. Amounts are in the limit's unit; what was never used is all 0. */
export interface BudgetStateRow extends CounterFacts {
  /** uuid, which limit, window and group together make. */
  readonly counterId: string;
  readonly unit: BudgetUnit;
  readonly window: BudgetWindow;
  /** What the budget groups by now. */
  readonly groupBy: readonly BudgetKey[];
  /** JSON of the values, or a hash of it where that is long; empty where there are no groups. */
  readonly groupKey: string;
  /** Null where the window has no beginning or no end. */
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  /** Part of what is held. */
  readonly lost: bigint;
  readonly overrun: bigint;
  /** When room was granted here first, or else the window began; null: neither. */
  readonly usedSince: Date | null;
  readonly asOf: Date;
}

export interface BudgetStateFilter {
  /** In whose windows; null: now. */
  readonly at: Date | null;
  /** Also what a reset or an archived budget left, and limits that are gone. */
  readonly includeSealed: boolean;
  /** Values in the order of `groupBy`; null: every group. */
  readonly group: readonly (string | null)[] | null;
}

/** Reads of what is used of one organization's budgets. */
export interface BudgetStateReads {
  /** A page for each budget, by group and then by counter. */
  readonly states: (budgetIds: readonly string[], page: PageRequest, filter: BudgetStateFilter) => Promise<readonly Page<BudgetStateRow>[]>;
}
