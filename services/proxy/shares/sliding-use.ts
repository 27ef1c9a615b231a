import type { UseOfLimit } from './use-of-limit.ts';

/** What is added counts for the period and at most a fiftieth of it longer. */
const SLICES = 50;

/**
 * @returns a count of what was added within the last period, whatever moment is looked at: it is kept in slices of time, and a slice counts until all of it is
 *   older than the period.
 */
export function createSlidingUse(periodMs: number): UseOfLimit {
  const sliceMs = periodMs / SLICES;
  const slices = Array.from({ length: SLICES + 1 }, () => 0n);
  let head = 0;
  let total = 0n;

  const place = (slice: number): number => slice % slices.length;

  const turnTo = (now: number): void => {
    const slice = Math.floor(now / sliceMs);
    if (slice - head > SLICES) {
      slices.fill(0n);
      total = 0n;
      head = slice;
      return;
    }
    while (head < slice) {
      head += 1;
      total -= slices[place(head)] ?? 0n;
      slices[place(head)] = 0n;
    }
  };

  const change = (slice: number, amount: bigint): void => {
    slices[place(slice)] = (slices[place(slice)] ?? 0n) + amount;
    total += amount;
  };

  return {
    used: (now) => {
      turnTo(now);
      return total;
    },
    add: (amount, now) => {
      turnTo(now);
      change(head, amount);
      return head;
    },
    settle: (mark, amount, cost, now) => {
      turnTo(now);
      if (cost > amount) change(head, cost - amount);
      // What has left the period already counts no more.
      else if (mark >= head - SLICES) change(mark, cost - amount);
    },
    freeIn: (amount, now) => {
      turnTo(now);
      if (amount === 0n) return 0;
      let freed = 0n;
      for (let slice = head - SLICES; slice <= head; slice += 1) {
        freed += slice < 0 ? 0n : (slices[place(slice)] ?? 0n);
        if (freed >= amount) return (slice + SLICES + 1) * sliceMs - now;
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}
