/**
 * How a counter of a budget stands (reference/leases.md section 10), worst first; each holds only where none before it does.
 * - `sealed`: nothing is granted any more, since its window is over, the budget was reset or archived, or the limit is gone.
 * - `reconciling`: the database was restored, and grants nothing until every proxy has told what it holds.
 * - `over_limit`: more is settled and held than the limit allows, since it was lowered, a raise ended, or a provider billed above a hold.
 * - `exhausted`: all of it is spent.
 * - `in_flight`: what is not spent is held; some of it will come back.
 * - `scarce`: somebody came up short a moment ago, and idle room is called back.
 */
export const BUDGET_STATUSES = ['sealed', 'reconciling', 'over_limit', 'exhausted', 'in_flight', 'scarce', 'open'] as const;
export type BudgetStatus = (typeof BUDGET_STATUSES)[number];

/** What a counter's status follows from. Amounts are in the limit's unit. */
export interface CounterFacts {
  readonly amount: bigint;
  readonly settled: bigint;
  readonly held: bigint;
  readonly isSealed: boolean;
  readonly isWanted: boolean;
  readonly isReconciling: boolean;
}

export function budgetStatus({ amount, settled, held, isSealed, isWanted, isReconciling }: CounterFacts): BudgetStatus {
  if (isSealed) return 'sealed';
  if (isReconciling) return 'reconciling';
  if (settled + held > amount) return 'over_limit';
  if (settled >= amount) return 'exhausted';
  if (settled + held >= amount) return 'in_flight';
  return isWanted ? 'scarce' : 'open';
}

/** What is neither spent nor held, never below 0. */
export function budgetRemaining({ amount, settled, held }: Pick<CounterFacts, 'amount' | 'settled' | 'held'>): bigint {
  const rest = amount - settled - held;
  return rest > 0n ? rest : 0n;
}
