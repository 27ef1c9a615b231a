import type { BudgetCondition, BudgetKey, BudgetLimit } from './budget.ts';
import { BUDGET_UNITS } from './budget.ts';

/**
 * What a rate limit is, as its organization defines it (issue 7): how much in how long, for requests that are selected and told apart as those of
 * budgets are.
 */
export const RATE_LIMIT_UNITS = [...BUDGET_UNITS, 'input_tokens', 'output_tokens', 'concurrent_requests'] as const;
export type RateLimitUnit = (typeof RATE_LIMIT_UNITS)[number];

/** Windows that follow one another in UTC: the first of January 2001, a Monday, begins one of each. */
const COUNTED_PERIODS = ['minute', 'hour', 'day', 'week', 'month'] as const;

/** Too short for counters in a database: proxies have shares of them. They slide: the limit holds for every span of that length. */
const SHORT_PERIODS = ['second', 'ten_seconds'] as const;
type ShortPeriod = (typeof SHORT_PERIODS)[number];
const PERIOD_MS: Readonly<Record<ShortPeriod, number>> = { second: 1_000, ten_seconds: 10_000 };

export const RATE_LIMIT_PERIODS = [...SHORT_PERIODS, ...COUNTED_PERIODS] as const;
export type RateLimitPeriod = (typeof RATE_LIMIT_PERIODS)[number];

export interface RateLimitRule {
  /** uuid; kept while unit and period stay the same, so that a changed amount keeps what was used. */
  readonly id: string;
  readonly unit: RateLimitUnit;
  /** In each period, or at any time: a whole number of the unit as decimal text. */
  readonly amount: string;
  /** Null exactly where the unit is `concurrent_requests`. */
  readonly per: RateLimitPeriod | null;
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

/** A limit that proxies have shares of. */
export interface SharedLimit {
  readonly id: string;
  readonly unit: RateLimitUnit;
  readonly amount: string;
  /** How long what is let through counts; null: as long as it runs. */
  readonly periodMs: number | null;
}

/** The limits of some rules, by how they are kept. */
export interface LimitsOfRules {
  readonly counted: readonly CountedLimit[];
  readonly shared: readonly SharedLimit[];
}

/** The limits that count every request of a rate limit. */
export function wholeLimits({ limits }: Pick<RateLimitDefinition, 'limits'>): LimitsOfRules {
  return limitsOf(limits);
}

/** The limits that count those of each rule that have no part in the reserve: what is left of it, rounded down. */
export function commonLimits({ limits, reserve }: Pick<RateLimitDefinition, 'limits' | 'reserve'>): LimitsOfRules {
  if (reserve === null) return limitsOf([]);
  const open = BigInt(100 - reserve.percent);
  return limitsOf(
    limits.flatMap((rule) =>
      rule.commonId === null ? [] : [{ ...rule, id: rule.commonId, amount: ((BigInt(rule.amount) * open) / 100n).toString() }],
    ),
  );
}

function limitsOf(rules: readonly RateLimitRule[]): LimitsOfRules {
  const counted: CountedLimit[] = [];
  const shared: SharedLimit[] = [];
  for (const { id, unit, amount, per } of rules) {
    if (per === null) shared.push({ id, unit, amount, periodMs: null });
    else if (isShort(per)) shared.push({ id, unit, amount, periodMs: PERIOD_MS[per] });
    else counted.push({ id, unit, amount, window: { kind: per, zone: 'UTC', anchor: '2001-01-01T00:00:00' } });
  }
  return { counted, shared };
}

function isShort(per: RateLimitPeriod): per is ShortPeriod {
  return per in PERIOD_MS;
}
