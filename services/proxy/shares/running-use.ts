import type { UseOfLimit } from './use-of-limit.ts';

/** @returns a count of what runs: it counts until it is over, however long that takes. */
export function createRunningUse(): UseOfLimit {
  let running = 0n;
  return {
    used: () => running,
    add: (amount) => {
      running += amount;
      return 0;
    },
    settle: (_mark, amount) => {
      running -= amount;
    },
    freeIn: (amount) => (amount === 0n ? 0 : Number.POSITIVE_INFINITY),
  };
}
