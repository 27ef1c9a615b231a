import type { Verdict } from './verdict.ts';

/** What one application received of one organization's journal, over all its connections. */
export interface SubscriptionChecker {
  /** An entry arrived, with its position. */
  received(position: bigint, requestUuid: string): void;
  /** It was told that positions up to this one are passed over, and why. */
  gap(reason: string): void;
  /** The last position received; null while there was none, or none behind the last gap. */
  readonly position: bigint | null;
  readonly events: number;
  readonly gaps: number;
}

/**
 * Gap-free and in order: the position after the last one, every time, holding what the journal holds there.
 * @param itemAt what the journal holds at a position, by its id; undefined where there is nothing.
 * @param mayGap whether the journal has been counted anew, so that passing over positions is right.
 */
export function createSubscriptionChecker(options: {
  readonly name: string;
  readonly verdict: Verdict;
  readonly itemAt: (position: bigint) => string | undefined;
  readonly mayGap: (reason: string) => boolean;
}): SubscriptionChecker {
  const { name, verdict } = options;
  let last: bigint | null = null;
  let events = 0;
  let gaps = 0;
  let afterGap = false;
  return {
    received(position, requestUuid) {
      events += 1;
      if (afterGap && last !== null && position <= last)
        verdict.breach('subscription in order', `${name}: ${position} came behind ${last}`);
      if (!afterGap && last !== null && position !== last + 1n)
        verdict.breach('subscription gap-free and in order', `${name}: ${position} came behind ${last}`);
      const held = options.itemAt(position);
      if (held !== requestUuid)
        verdict.breach('what is streamed is what is booked', `${name}: ${position} is ${held}, ${requestUuid} came`);
      last = position;
      afterGap = false;
    },
    gap(reason) {
      gaps += 1;
      if (!options.mayGap(reason))
        verdict.breach('subscription gap-free and in order', `${name}: passed over positions behind ${last} (${reason})`);
      afterGap = true;
    },
    get position() {
      return afterGap ? null : last;
    },
    get events() {
      return events;
    },
    get gaps() {
      return gaps;
    },
  };
}
