/**
 * The HTTP status of a request that a budget has no room left for (reference/client-contract.md section 2): each organization selects one.
 * The official SDKs take 429 for a limit of rate, which some frameworks around them retry whatever `x-should-retry` says; nobody retries 402.
 */
export const BUDGET_EXCEEDED_STATUSES = [429, 402] as const;

export type BudgetExceededStatus = (typeof BUDGET_EXCEEDED_STATUSES)[number];
