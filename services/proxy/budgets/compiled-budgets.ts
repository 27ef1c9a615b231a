import type { BudgetCondition, BudgetKey } from '../../../schema/values/budget.ts';
import { basisPointsOf } from '../../../schema/values/budget-threshold.ts';
import type { CountedLimit, SharedLimit } from '../../../schema/values/rate-limit.ts';
import type { BudgetSubject } from '../../registry/catalog/match-budgets.ts';
import { budgetValue, matchesBudget } from '../../registry/catalog/match-budgets.ts';
import type { SnapshotBudget } from '../../registry/snapshot.ts';

/** A budget or a rate limit as the hot path wants it: what enforces is held before a call and settled after it. */
export interface CompiledBudget {
  /** What a refusal by it is called. */
  readonly kind: 'budget' | 'rate_limit';
  /** `bud_…` or `rlm_…` */
  readonly id: string;
  readonly selector: readonly BudgetCondition[];
  /** What it selects and does not count all the same: where all of these hold; null: nothing. */
  readonly except: readonly BudgetCondition[] | null;
  readonly groupBy: readonly BudgetKey[];
  readonly limits: readonly CountedLimit[];
  /** Limits too short-lived for counters: requests take of this process's share. */
  readonly shared: readonly SharedLimit[];
  /** Its lowest threshold, in hundredths of a percent: from there on answers warn of it. Null: they never do. */
  readonly warnsFrom: number | null;
  readonly enforcement: SnapshotBudget['enforcement'];
  /** Where requests go that it has no room for; null: they are refused. */
  readonly downgradeTo: string | null;
  readonly onUnpricedModel: SnapshotBudget['onUnpricedModel'];
  /** pico-USD for a million tokens. */
  readonly fallbackPrice: { readonly input: bigint; readonly output: bigint } | null;
}

/** With whose it is: `org_…`. */
export interface OwnedBudget {
  readonly organizationId: string;
  readonly budget: CompiledBudget;
}

/** The budgets of one organization; null where it has none of the kind. */
export interface OrganizationBudgets {
  /** Those that enforce or downgrade: a request holds what it may use of them. */
  readonly holding: BudgetIndex | null;
  /** Those that audit or notify: what was used of them is counted when it is posted. */
  readonly counting: BudgetIndex | null;
}

/** Budgets by what tells most requests apart. */
export interface BudgetIndex {
  /** Those without a condition. */
  readonly always: readonly CompiledBudget[];
  readonly buckets: readonly { readonly key: BudgetKey; readonly byValue: ReadonlyMap<string, readonly CompiledBudget[]> }[];
  /** What counted the last request of whoever sent it: most are like the one before. Over with the snapshot, and with the key. */
  readonly lastOf: WeakMap<object, LastMatch>;
  /** Whether any of them has limits that are shared. */
  readonly hasShared: boolean;
}

type LastMatch = Pick<BudgetSubject, 'endUser' | 'model' | 'provider' | 'routeId' | 'tags'> & {
  readonly matching: readonly CompiledBudget[];
};

/** Most values first: of a thousand budgets, those of one key are found without looking at the others. */
const MOST_SELECTIVE: readonly BudgetCondition['dimension'][] = [
  'api_key',
  'end_user',
  'user',
  'service_account',
  'tag',
  'team',
  'route',
  'model',
  'provider',
];

/**
 * Sorts the budgets of a snapshot by organization and by what is done by them.
 * @param others what else is held for a request, in the same index.
 * @returns by `org_…`; an organization without any is not in it.
 */
export function compileBudgets(
  budgets: readonly SnapshotBudget[],
  others: readonly OwnedBudget[] = [],
): ReadonlyMap<string, OrganizationBudgets> {
  const owned = [...budgets.map((budget) => ({ organizationId: budget.organizationId, budget: compileBudget(budget) })), ...others];
  const ofOrganization = Map.groupBy(owned, ({ organizationId }) => organizationId);
  return new Map([...ofOrganization].map(([organizationId, own]) => [organizationId, sorted(own.map(({ budget }) => budget))]));
}

function sorted(budgets: readonly CompiledBudget[]): OrganizationBudgets {
  const holding = budgets.filter(({ enforcement }) => enforcement === 'enforce' || enforcement === 'downgrade');
  const counting = budgets.filter(({ enforcement }) => enforcement === 'audit' || enforcement === 'notify');
  return { holding: holding.length === 0 ? null : indexOf(holding), counting: counting.length === 0 ? null : indexOf(counting) };
}

/**
 * The budgets that count a request, in no order.
 * @param sender the key of the snapshot it came with, which says what the subject does not name of itself: team, user, service account.
 */
export function matchingBudgets(index: BudgetIndex, sender: object, subject: BudgetSubject): readonly CompiledBudget[] {
  const { endUser, model, provider, routeId, tags } = subject;
  const last = index.lastOf.get(sender);
  if (
    last !== undefined &&
    last.model === model &&
    last.endUser === endUser &&
    last.tags === tags &&
    last.routeId === routeId &&
    last.provider === provider
  )
    return last.matching;
  const matching = lookFor(index, subject);
  index.lastOf.set(sender, { endUser, model, provider, routeId, tags, matching });
  return matching;
}

function lookFor(index: BudgetIndex, subject: BudgetSubject): readonly CompiledBudget[] {
  const matching = index.always.slice();
  for (const { key, byValue } of index.buckets) {
    const value = budgetValue(key, subject);
    if (value === null) continue;
    addMatching(byValue.get(value), subject, matching);
    if (key.dimension === 'model') addMatching(byValue.get(providerPattern(value)), subject, matching);
  }
  return matching;
}

function addMatching(candidates: readonly CompiledBudget[] | undefined, subject: BudgetSubject, matching: CompiledBudget[]): void {
  if (candidates === undefined) return;
  for (const budget of candidates) if (matchesBudget(budget.selector, subject)) matching.push(budget);
}

function compileBudget(budget: SnapshotBudget): CompiledBudget {
  const { id, selector, groupBy, limits, thresholds, enforcement, downgradeTo, onUnpricedModel, fallbackPrice } = budget;
  const [lowest] = thresholds;
  return {
    kind: 'budget',
    id,
    selector,
    except: null,
    groupBy,
    limits,
    shared: [],
    warnsFrom: lowest === undefined ? null : basisPointsOf(lowest),
    enforcement,
    downgradeTo,
    onUnpricedModel,
    fallbackPrice: fallbackPrice === null ? null : { input: BigInt(fallbackPrice.input), output: BigInt(fallbackPrice.output) },
  };
}

function indexOf(budgets: readonly CompiledBudget[]): BudgetIndex {
  const always: CompiledBudget[] = [];
  const buckets = new Map<string, { key: BudgetKey; byValue: Map<string, CompiledBudget[]> }>();
  for (const budget of budgets) {
    const condition = mostSelective(budget.selector);
    if (condition === null) {
      always.push(budget);
      continue;
    }
    const { dimension, tagKey } = condition;
    const name = `${dimension}:${tagKey ?? ''}`;
    const bucket = buckets.get(name) ?? { key: { dimension, tagKey }, byValue: new Map<string, CompiledBudget[]>() };
    buckets.set(name, bucket);
    for (const value of distinctValues(condition)) {
      const known = bucket.byValue.get(value);
      if (known === undefined) bucket.byValue.set(value, [budget]);
      else known.push(budget);
    }
  }
  const hasShared = budgets.some(({ shared }) => shared.length > 0);
  return { always, buckets: [...buckets.values()], hasShared, lastOf: new WeakMap() };
}

function mostSelective(selector: readonly BudgetCondition[]): BudgetCondition | null {
  const rank = ({ dimension }: BudgetCondition): number => MOST_SELECTIVE.indexOf(dimension);
  return selector.toSorted((one, other) => rank(one) - rank(other))[0] ?? null;
}

/** Without models that `provider/*` has in it, so that no request finds a budget twice. */
function distinctValues({ dimension, in: values }: BudgetCondition): readonly string[] {
  const distinct = [...new Set(values)];
  if (dimension !== 'model') return distinct;
  return distinct.filter((value) => value.endsWith('/*') || !distinct.includes(providerPattern(value)));
}

function providerPattern(model: string): string {
  return `${model.slice(0, model.indexOf('/'))}/*`;
}
