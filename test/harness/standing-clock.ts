import type { Clock } from '../../services/runtime/clock.ts';

/** A clock that stands until the test lets time pass: then both of its readings have moved by just that. */
export type StandingClock = Clock & { readonly pass: (ms: number) => void };

export function standingClock(): StandingClock {
  let now = Date.now();
  // Whole milliseconds, as what passes is: many small steps and one large one have to come to the same moment, and fractions round on the way.
  let monotonic = Math.floor(performance.now());
  return {
    now: () => now,
    monotonic: () => monotonic,
    pass: (ms) => {
      now += ms;
      monotonic += ms;
    },
  };
}
