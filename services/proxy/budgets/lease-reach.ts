import type { Log } from '../../runtime/log.ts';

/** Whether the database answers for leases, by the statements that it was sent. */
export interface LeaseReach {
  answered(): void;
  /** @param what was asked, for a person. @returns after how many milliseconds it may be repeated. */
  failed(error: unknown, what: string): number;
  /** While it does not answer, asks fail at once, but for one now and then. */
  mayAsk(): boolean;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** No ask waits longer than until the next beat, which may find the database there again. */
const LONGEST_SILENCE_MS = 1_000;

/** @param now milliseconds that only grow. */
export function createLeaseReach({ now, log }: { readonly now: () => number; readonly log: Log }): LeaseReach {
  let reachable = true;
  let askAfter = 0;
  let retryMs = FIRST_RETRY_MS;
  return {
    answered: () => {
      if (!reachable) log.info('the database answers for leases again');
      reachable = true;
      retryMs = FIRST_RETRY_MS;
      askAfter = 0;
    },
    failed: (error, what) => {
      if (reachable) log.warn({ error, what }, 'the database does not answer for leases; budgets are served from what is leased');
      reachable = false;
      const delayMs = retryMs;
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
      askAfter = now() + Math.min(delayMs, LONGEST_SILENCE_MS);
      return delayMs;
    },
    mayAsk: () => now() >= askAfter,
  };
}
