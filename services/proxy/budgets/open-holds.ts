import { uuidFromId } from '../../../schema/values/ids.ts';
import type { LeaseState } from '../admission/leases/lease-state.ts';

/** What is held for requests in flight, for people to look at. */
export interface OpenHolds {
  /** What counters hold, those of the oldest requests first. */
  readonly counters: readonly { readonly counter: string; readonly holds: number; readonly amount: bigint }[];
  /** Of the oldest requests, the oldest first. Requests are uuids. */
  readonly oldest: readonly { readonly request: string; readonly counter: string; readonly amount: bigint }[];
}

/** Requests that are named, of those that are looked at; and counters of these that are summed up. */
const MOST_NAMED = 100;
const MOST_LOOKED_AT = 5_000;
const MOST_COUNTERS = 500;

/**
 * Looks at the oldest requests in flight, no further than a millisecond's worth: where there are more, what is told is less than what is held,
 * which the leases themselves show.
 */
export function openHolds(state: Pick<LeaseState, 'requests'>): OpenHolds {
  const counters = new Map<string, { readonly counter: string; holds: number; amount: bigint }>();
  const oldest: { readonly request: string; readonly counter: string; readonly amount: bigint }[] = [];
  let looked = 0;
  // A map keeps the order in which requests were admitted, and a raise the place of its request.
  for (const [id, holds] of state.requests) {
    looked += 1;
    if (looked > MOST_LOOKED_AT) break;
    const request = looked > MOST_NAMED ? null : uuidFromId('request', id);
    for (const { counter, amount } of holds) {
      if (request !== null) oldest.push({ request, counter, amount });
      const known = counters.get(counter);
      if (known !== undefined) {
        known.holds += 1;
        known.amount += amount;
      } else if (counters.size < MOST_COUNTERS) counters.set(counter, { counter, holds: 1, amount });
    }
  }
  return { counters: [...counters.values()], oldest };
}
