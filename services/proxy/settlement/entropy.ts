import type { Random } from '../../runtime/random.ts';

const POOL_BYTES = 4_096;

/** Small pieces of randomness out of one large draw: a system call for each id would cost more than the id. */
export interface Entropy {
  /** `length` unpredictable bytes, at most 4 KiB; nobody else gets the same ones. */
  take(length: number): Buffer;
}

/** Draws 4 KiB at a time; every byte is handed out once. */
export function createEntropy(random: Random): Entropy {
  let pool = random.bytes(POOL_BYTES);
  let used = 0;
  return {
    take: (length) => {
      if (used + length > pool.length) {
        pool = random.bytes(POOL_BYTES);
        used = 0;
      }
      used += length;
      return pool.subarray(used - length, used);
    },
  };
}
