import type { UpstreamFailureKind } from '../../upstream/upstream-failure.ts';
import type { FailureBilling } from '../provider.ts';

/**
 * What a failed call costs when the provider reported no usage (client-contract section 7, "Failed requests").
 * - An answer of 400 or above is not billed by any provider of this protocol: known to be free.
 * - A call that reached no connection was not made: free.
 * - Silence or a broken connection after the request was sent says nothing: the provider may have worked and may bill, so the
 *   cost is unknown, which is null and never 0.
 */
export const BILLING_OF_FAILURE: Readonly<Record<UpstreamFailureKind, FailureBilling>> = {
  unreachable: 'free',
  connect_timeout: 'free',
  first_byte_timeout: 'unknown',
  idle_timeout: 'unknown',
  broken: 'unknown',
};

/** A 200 that fails afterwards may have generated, hence may be billed. */
export function billingOfStatus(status: number): FailureBilling {
  return status >= 400 ? 'free' : 'unknown';
}
