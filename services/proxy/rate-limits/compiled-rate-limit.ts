import { commonLimits, wholeLimits } from '../../../schema/values/rate-limit.ts';
import type { SnapshotRateLimit } from '../../registry/snapshot.ts';
import type { OwnedBudget } from '../budgets/compiled-budgets.ts';

/**
 * A rate limit is held and settled as a budget is; one with a reserve as two, of which the second does not count those whom it is kept for. Where a model
 * has no price, limits in USD do not count the request.
 */
export function compileRateLimit(rateLimit: SnapshotRateLimit): readonly OwnedBudget[] {
  const { id, organizationId, selector, groupBy, reserve } = rateLimit;
  const scope = {
    kind: 'rate_limit',
    id,
    selector,
    groupBy,
    warnsFrom: null,
    enforcement: 'enforce',
    downgradeTo: null,
    onUnpricedModel: 'allow',
    fallbackPrice: null,
  } as const;
  const all = wholeLimits(rateLimit);
  const whole = { organizationId, budget: { ...scope, except: null, limits: all.counted, shared: all.shared } };
  if (reserve === null) return [whole];
  const common = commonLimits(rateLimit);
  return [whole, { organizationId, budget: { ...scope, except: reserve.for, limits: common.counted, shared: common.shared } }];
}
