import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { worstCost } from '../../pricing/worst-price.ts';
import type { BudgetSubject } from '../../registry/catalog/match-budgets.ts';
import { budgetGroupKey, matchesBudget } from '../../registry/catalog/match-budgets.ts';
import type { HoldWanted } from '../admission/leases/lease-state.ts';
import type { CompiledBudget } from './compiled-budgets.ts';
import type { TokenBound } from './token-bound.ts';

/** A hold of one limit, and what its settlement is made from. */
export interface PlannedHold extends HoldWanted {
  readonly budget: CompiledBudget;
  readonly unit: RateLimitUnit;
  /** What it is taken from; empty until it is taken. */
  counter: string;
}

/** A hold that was taken. */
export type TakenHold = Readonly<PlannedHold>;

export type HoldPlan =
  | { readonly kind: 'holds'; readonly holds: readonly PlannedHold[] }
  /** A budget counts the request in USD, blocks models without a price, and this is one. */
  | { readonly kind: 'unpriced'; readonly budget: CompiledBudget };

/**
 * What a request may use at most of each limit of its budgets: exact, in the limit's unit. Where a model without a price is allowed, the limits in
 * USD do not count it.
 */
export function planHolds(
  budgets: readonly CompiledBudget[],
  subject: BudgetSubject,
  bound: TokenBound,
  sheet: PriceSheet | null,
): HoldPlan {
  const priced = worstCost(sheet, bound);
  const holds: PlannedHold[] = [];
  for (const budget of budgets) {
    if (budget.except !== null && matchesBudget(budget.except, subject)) continue;
    const group = budgetGroupKey(budget.groupBy, subject);
    for (const { id, unit } of budget.limits) {
      if (unit === 'usd' && priced === null && budget.onUnpricedModel === 'block') return { kind: 'unpriced', budget };
      const amount = worstUse(budget, unit, bound, priced);
      if (amount !== null) holds.push({ limit: id, group, amount, budget, unit, counter: '' });
    }
  }
  return { kind: 'holds', holds };
}

/** Most that a request may use in a limit's unit; null where the price is not known and the budget states none. */
export function worstUse(budget: CompiledBudget, unit: RateLimitUnit, bound: TokenBound, priced: bigint | null): bigint | null {
  return unit === 'usd' ? (priced ?? fallbackCost(budget, bound)) : countedAtMost(unit, bound);
}

function countedAtMost(unit: Exclude<RateLimitUnit, 'usd'>, { input, output }: TokenBound): bigint {
  switch (unit) {
    case 'requests':
    case 'concurrent_requests':
      return 1n;
    case 'tokens':
      return BigInt(input + output);
    case 'input_tokens':
      return BigInt(input);
    case 'output_tokens':
      return BigInt(output);
  }
}

const MILLION = 1_000_000n;

/** By the budget's own price for models that have none, rounded up; null where it has none. */
export function fallbackCost({ fallbackPrice }: CompiledBudget, { input, output }: TokenBound): bigint | null {
  if (fallbackPrice === null) return null;
  return (BigInt(input) * fallbackPrice.input + BigInt(output) * fallbackPrice.output + MILLION - 1n) / MILLION;
}
