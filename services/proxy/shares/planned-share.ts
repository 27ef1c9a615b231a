import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { worstCost } from '../../pricing/worst-price.ts';
import type { BudgetSubject } from '../../registry/catalog/match-budgets.ts';
import { budgetGroupKey, matchesBudget } from '../../registry/catalog/match-budgets.ts';
import { worstUse } from '../budgets/budget-holds.ts';
import type { CompiledBudget } from '../budgets/compiled-budgets.ts';
import type { TokenBound } from '../budgets/token-bound.ts';
import type { ShareWanted } from './share-book.ts';

/** What a request takes of one limit that is shared, and what its settlement is made from. */
export interface PlannedShare extends ShareWanted {
  readonly budget: CompiledBudget;
  readonly unit: RateLimitUnit;
}

/** What a request may use at most of each shared limit that counts it: exact, in the limit's unit. Where a model has no price, those in USD do not. */
export function planShares(
  matching: readonly CompiledBudget[],
  subject: BudgetSubject,
  bound: TokenBound,
  sheet: PriceSheet | null,
): readonly PlannedShare[] {
  const priced = worstCost(sheet, bound);
  const planned: PlannedShare[] = [];
  for (const budget of matching) {
    if (budget.shared.length === 0) continue;
    if (budget.except !== null && matchesBudget(budget.except, subject)) continue;
    const group = budgetGroupKey(budget.groupBy, subject);
    for (const { id, unit, amount: most, periodMs } of budget.shared) {
      const amount = worstUse(budget, unit, bound, priced);
      if (amount !== null) planned.push({ limit: id, group, amount, most: BigInt(most), periodMs, budget, unit });
    }
  }
  return planned;
}
