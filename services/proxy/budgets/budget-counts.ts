import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { worstCost } from '../../pricing/worst-price.ts';
import type { BudgetSubject } from '../../registry/catalog/match-budgets.ts';
import { budgetGroupKey } from '../../registry/catalog/match-budgets.ts';
import { worstUse } from './budget-holds.ts';
import type { CompiledBudget } from './compiled-budgets.ts';
import type { TokenBound } from './token-bound.ts';
import type { LimitSight, WatchedLimits } from './watched-limits.ts';

/** A limit that counts a request and holds nothing for it: of a budget that audits or notifies. */
export interface PlannedCount {
  readonly budget: CompiledBudget;
  readonly unit: RateLimitUnit;
  readonly limit: string;
  readonly group: string;
  /** Most that the request may use; null where an audited budget would have refused it for want of a price. */
  readonly amount: bigint | null;
  /** What was known of an audited limit when the request was let through; null where nothing was, or nothing is to be known. */
  readonly sight: LimitSight | null;
}

/** What the event of a request says of the limits that count it. */
export interface SettledCounts {
  readonly counted: NonNullable<RequestSettled['counted']>;
  readonly wouldRefuse: NonNullable<RequestSettled['wouldRefuse']>;
}

/** Which limits count a request, and what is known of those that are audited. */
export function planCounts(
  budgets: readonly CompiledBudget[],
  subject: BudgetSubject,
  bound: TokenBound,
  sheet: PriceSheet | null,
  audited: Pick<WatchedLimits, 'see'>,
): readonly PlannedCount[] {
  const priced = worstCost(sheet, bound);
  const counts: PlannedCount[] = [];
  for (const budget of budgets) {
    const group = budgetGroupKey(budget.groupBy, subject);
    const isAudit = budget.enforcement === 'audit';
    for (const { id: limit, unit } of budget.limits) {
      const amount = worstUse(budget, unit, bound, priced);
      if (amount === null && !(isAudit && budget.onUnpricedModel === 'block')) continue;
      counts.push({ budget, unit, limit, group, amount, sight: isAudit ? audited.see(limit, group) : null });
    }
  }
  return counts;
}
