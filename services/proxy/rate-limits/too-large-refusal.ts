import { GatewayError } from '../../../schema/errors.ts';
import type { RateLimitUnit } from '../../../schema/values/rate-limit.ts';
import { amountText, spanOf, unitName } from './limit-words.ts';

/** One request and the limit that it can never fit. */
export interface TooLarge {
  /** `rlm_…` */
  readonly rateLimit: string;
  readonly unit: RateLimitUnit;
  /** Null: at once. */
  readonly per: string | null;
  readonly needed: bigint;
  readonly amount: bigint;
}

/** The refusal of a request that could use more than a whole rate limit: no waiting makes it fit, so clients must not try again. */
export function tooLargeRefusal({ rateLimit, unit, per, needed, amount }: TooLarge): GatewayError {
  const isOfTokens = unit !== 'requests' && unit !== 'concurrent_requests';
  const could = `The request could use ${amountText(unit, needed)} ${unitName(unit)}, more than a rate limit ever lets through ${spanOf(per)}: ${amountText(unit, amount)}.`;
  const advice = isOfTokens ? 'Lower its `max_tokens`, make it shorter, or have the limit raised.' : 'Have the limit raised.';
  return new GatewayError('request_exceeds_rate_limit', {
    message: `${could} ${advice}`,
    ...(isOfTokens && unit !== 'input_tokens' ? { param: 'max_tokens' } : {}),
    meta: { rate_limit_id: rateLimit, unit, per, needed: amountText(unit, needed), limit: amountText(unit, amount) },
  });
}
