/**
 * What a budget is, as its organization defines it (issue 7). Every text is as events carry it: ids with their prefix, models as
 * `provider/model`. Amounts are whole numbers of the limit's unit as decimal text, since JSON readers lose digits beyond 2^53.
 */
export const BUDGET_DIMENSIONS = ['team', 'user', 'service_account', 'api_key', 'end_user', 'model', 'provider', 'route', 'tag'] as const;
export type BudgetDimension = (typeof BUDGET_DIMENSIONS)[number];

/** One thing that requests are told apart by; a tag by its key. */
export interface BudgetKey {
  readonly dimension: BudgetDimension;
  /** Set exactly where the dimension is `tag`. */
  readonly tagKey: string | null;
}

/** Holds for a request whose value is one of these; a model also as `provider/*`. A request without a value matches none. */
export interface BudgetCondition extends BudgetKey {
  readonly in: readonly string[];
}

/** pico-USD, tokens of all classes, or requests. */
export const BUDGET_UNITS = ['usd', 'tokens', 'requests'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];

export const CALENDAR_WINDOWS = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;

/** The spans over which a limit counts (reference/leases.md section 7). */
export type BudgetWindow =
  | {
      readonly kind: (typeof CALENDAR_WINDOWS)[number];
      /** IANA name, in whose local time calendar and anchor are. */
      readonly zone: string;
      /** A moment at which a window begins, in local time: `2001-01-15T06:00:00` makes months begin on the 15th at six. */
      readonly anchor: string;
    }
  | { readonly kind: 'rolling'; readonly seconds: number }
  | { readonly kind: 'lifetime' };

export interface BudgetLimit {
  /** uuid; kept while unit and window stay the same, so that a changed amount keeps what was used. */
  readonly id: string;
  readonly unit: BudgetUnit;
  readonly amount: string;
  readonly window: BudgetWindow;
}

/** `audit` records what `enforce` would have refused; `notify` tells thresholds only; `downgrade` sends requests elsewhere. */
export const BUDGET_ENFORCEMENTS = ['enforce', 'audit', 'notify', 'downgrade'] as const;
export type BudgetEnforcement = (typeof BUDGET_ENFORCEMENTS)[number];

/** What becomes of a request whose model has no price. */
export const UNPRICED_POLICIES = ['block', 'allow', 'fallback'] as const;
export type UnpricedPolicy = (typeof UNPRICED_POLICIES)[number];

export interface BudgetDefinition {
  /** All must hold; none: every request of the organization. */
  readonly selector: readonly BudgetCondition[];
  /** One counter for each combination of values; none: one for all. */
  readonly groupBy: readonly BudgetKey[];
  readonly limits: readonly BudgetLimit[];
  /** Percent of a limit, as decimal text, ascending. */
  readonly thresholds: readonly string[];
  readonly enforcement: BudgetEnforcement;
  /** `provider/model` or `route/name`, exactly where requests are downgraded. */
  readonly downgradeTo: string | null;
  readonly onUnpricedModel: UnpricedPolicy;
  /** pico-USD for a million tokens, exactly where the policy is `fallback`. */
  readonly fallbackPrice: { readonly input: string; readonly output: string } | null;
}
