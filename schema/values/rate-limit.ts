import type { BudgetCondition, BudgetKey, BudgetLimit } from './budget.ts';
import { BUDGET_UNITS } from './budget.ts';

/**
 * What a rate limit is, as its organization defines it (issue 7): how much in how long, for requests that are selected and told apart as those of
 * budgets are.
 */
export const RATE_LIMIT_UNITS = [...BUDGET_UNITS, 'input_tokens', 'output_tokens'] as const;
export type RateLimitUnit = (typeof RATE_LIMIT_UNITS)[number];

/** Windows that follow one another in UTC: the first of January 2001, a Monday, begins one of each. */
export const RATE_LIMIT_PERIODS = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type RateLimitPeriod = (typeof RATE_LIMIT_PERIODS)[number];

export interface RateLimitRule {
  /** uuid; kept while unit and period stay the same, so that a changed amount keeps what was used. */
  readonly id: string;
  readonly unit: RateLimitUnit;
  /** In each period: a whole number of the unit as decimal text. */
  readonly amount: string;
  readonly per: RateLimitPeriod;
  /** uuid of what counts those that have no part in the reserve; null exactly where there is none. */
  readonly commonId: string | null;
}

/** A part of each limit that is kept for some. */
export interface RateLimitReserve {
  /** Of each limit: 1 to 99. */
  readonly percent: number;
  /** Whom it is kept for: all must hold. They may use the whole limit, all others together only the rest of it. */
  readonly for: readonly BudgetCondition[];
}

/** A rule as it is asked for, before it is counted. */
export type GivenRule = Omit<RateLimitRule, 'id' | 'commonId'>;

export interface RateLimitDefinition {
  /** All must hold; none: every request of the organization. */
  readonly selector: readonly BudgetCondition[];
  /** Each combination of values has the limits for itself; none: all share them. */
  readonly groupBy: readonly BudgetKey[];
  readonly limits: readonly RateLimitRule[];
  readonly reserve: RateLimitReserve | null;
}

/** A limit as leasing counts it, of a budget or a rate limit. */
export type CountedLimit = Omit<BudgetLimit, 'unit'> & { readonly unit: RateLimitUnit };

/** The limit that counts every request of a rule. */
export function wholeLimit({ id, unit, amount, per }: RateLimitRule): CountedLimit {
  return { id, unit, amount, window: { kind: per, zone: 'UTC', anchor: '2001-01-01T00:00:00' } };
}

/** The limits that count those of each rule that have no part in the reserve: what is left of it, rounded down. */
export function commonLimits({ limits, reserve }: Pick<RateLimitDefinition, 'limits' | 'reserve'>): readonly CountedLimit[] {
  if (reserve === null) return [];
  const open = BigInt(100 - reserve.percent);
  return limits.flatMap((rule) =>
    rule.commonId === null ? [] : [{ ...wholeLimit(rule), id: rule.commonId, amount: ((BigInt(rule.amount) * open) / 100n).toString() }],
  );
}
