import type { Clock } from '../../services/runtime/clock.ts';

/** A clock that stands until the test lets time pass: then both of its readings have moved by just that. */
export type StandingClock = Clock & { readonly pass: (ms: number) => void };

export function standingClock(): StandingClock {
  let now = Date.now();
  let monotonic = performance.now();
  return {
    now: () => now,
    monotonic: () => monotonic,
    pass: (ms) => {
      now += ms;
      monotonic += ms;
    },
  };
}
