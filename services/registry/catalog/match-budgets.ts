import { createHash } from 'node:crypto';
import type { BudgetCondition, BudgetKey } from '../../../schema/values/budget.ts';

/** Of a request, what budgets select and group by. Ids in text form; null where the request has none. */
export interface BudgetSubject {
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
  readonly apiKeyId: string;
  readonly endUser: string | null;
  /** {@link endUserAlias} of the end user; asked for only where a budget groups by it. */
  readonly aliasOf: (endUser: string) => string;
  /** `provider/model`. */
  readonly model: string | null;
  readonly provider: string | null;
  readonly routeId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** Longest group key that is readable, and that an event has room for; a longer one is its hash. */
const LONGEST_KEY = 96;

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
 * What stands for an end user where nothing can be erased, such as the key of a counter: the same for the same name within one organization, and without
 * the installation's key nobody finds the name by trying names.
 * @param hashOf HMAC under the key of the purpose {@link END_USER_ALIAS}, in base64url.
 */
export function endUserAlias(hashOf: (text: string) => string, organizationId: string, endUser: string): string {
  return `eu_${hashOf(`${organizationId} ${endUser}`).slice(0, ALIAS_DIGITS)}`;
}

/** What the key that hides end users is derived for. */
export const END_USER_ALIAS = 'end-user-alias';
/** 132 bits. */
const ALIAS_DIGITS = 22;

/**
 * Which of a budget's counters a request is counted by: the same for the same values, different for different ones. What a request
 * has no value of is a value of its own, or requests without an end user would pass a budget for each end user. It holds no personal data: an
 * end user is in it by the alias.
 */
export function budgetGroupKey(groupBy: readonly BudgetKey[], subject: BudgetSubject): string {
  if (groupBy.length === 0) return '';
  return groupKeyOf(
    groupBy.map((part) => {
      const value = budgetValue(part, subject);
      return part.dimension === 'end_user' && value !== null ? subject.aliasOf(value) : value;
    }),
  );
}

/** The same of the values that the requests of a group have, in the order of what is grouped by, an end user by the alias; none: there are no groups. */
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
