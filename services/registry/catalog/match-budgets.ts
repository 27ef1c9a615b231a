import { createHash } from 'node:crypto';
import type { BudgetCondition, BudgetKey } from '../../../schema/values/budget.ts';

/** Of a request, what budgets select and group by. Ids in text form; null where the request has none. */
export interface BudgetSubject {
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
  readonly apiKeyId: string;
  readonly endUser: string | null;
  /** `provider/model`. */
  readonly model: string | null;
  readonly provider: string | null;
  readonly routeId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** Longest group key that is readable; a longer one is its hash. */
const LONGEST_KEY = 512;

/** Whether a budget counts a request: every condition holds. */
export function matchesBudget(selector: readonly BudgetCondition[], subject: BudgetSubject): boolean {
  return selector.every((condition) => {
    const value = budgetValue(condition, subject);
    if (value === null) return false;
    if (condition.in.includes(value)) return true;
    return condition.dimension === 'model' && condition.in.includes(`${value.slice(0, value.indexOf('/'))}/*`);
  });
}

/**
 * Which of a budget's counters a request is counted by: the same for the same values, different for different ones. What a request
 * has no value of is a value of its own, or requests without an end user would pass a budget for each end user.
 */
export function budgetGroupKey(groupBy: readonly BudgetKey[], subject: BudgetSubject): string {
  return groupBy.length === 0 ? '' : groupKeyOf(groupBy.map((part) => budgetValue(part, subject)));
}

/** The same of the values that the requests of a group have, in the order of what is grouped by; none: there are no groups. */
export function groupKeyOf(values: readonly (string | null)[]): string {
  if (values.length === 0) return '';
  const key = JSON.stringify(values);
  return key.length <= LONGEST_KEY ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** What a request has of one thing that budgets tell requests apart by; null where it has none. */
export function budgetValue({ dimension, tagKey }: BudgetKey, subject: BudgetSubject): string | null {
  switch (dimension) {
    case 'team':
      return subject.teamId;
    case 'user':
      return subject.userId;
    case 'service_account':
      return subject.serviceAccountId;
    case 'api_key':
      return subject.apiKeyId;
    case 'end_user':
      return subject.endUser;
    case 'model':
      return subject.model;
    case 'provider':
      return subject.provider;
    case 'route':
      return subject.routeId;
    case 'tag':
      return tagKey !== null && Object.hasOwn(subject.tags, tagKey) ? (subject.tags[tagKey] ?? null) : null;
  }
}
