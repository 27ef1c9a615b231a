import { commonLimits, wholeLimit } from '../../../schema/values/rate-limit.ts';
import type { SnapshotRateLimit } from '../../registry/snapshot.ts';
import type { OwnedBudget } from '../budgets/compiled-budgets.ts';

/**
 * A rate limit is held and settled as a budget is; one with a reserve as two, of which the second does not count those whom it is kept for. Where a model
 * has no price, limits in USD do not count the request.
 */
export function compileRateLimit(rateLimit: SnapshotRateLimit): readonly OwnedBudget[] {
  const { id, organizationId, selector, groupBy, limits, reserve } = rateLimit;
  const scope = {
    kind: 'rate_limit',
    id,
    selector,
    groupBy,
    enforcement: 'enforce',
    downgradeTo: null,
    onUnpricedModel: 'allow',
    fallbackPrice: null,
  } as const;
  const whole = { organizationId, budget: { ...scope, except: null, limits: limits.map(wholeLimit) } };
  if (reserve === null) return [whole];
  return [whole, { organizationId, budget: { ...scope, except: reserve.for, limits: commonLimits(rateLimit) } }];
}
