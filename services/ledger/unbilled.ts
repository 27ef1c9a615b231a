import type { Attempt, RequestSettled } from '../../schema/events/request-settled.v1.ts';

/**
 * Whether it is certain that no provider bills anything for this request: no usage was reported, and either no call was made
 * (refused, blocked, served from the cache) or every call ended in an error answer or never reached its provider.
 * A call that was cut off (`cancelled`, `unknown`, or failed after it began to answer) may be billed, so nothing is known
 * of it. An orphan's calls are not known at all.
 */
export function isUnbilled(event: Pick<RequestSettled, 'outcome' | 'usage' | 'units' | 'attempts'>): boolean {
  if (event.outcome === 'orphaned' || event.usage !== null || event.units !== null) return false;
  return event.attempts.every(isUnbilledAttempt);
}

function isUnbilledAttempt(attempt: Attempt): boolean {
  return attempt.outcome === 'failed' && (attempt.status === null || attempt.status >= 400);
}
