import type { Clock } from '../../runtime/clock.ts';

export interface FailureLimiterOptions {
  readonly clock: Clock;
  /** Failures an address may cause at once. */
  readonly burst?: number;
  /** Failures a second it is forgiven. */
  readonly perSecond?: number;
  /** Addresses remembered; beyond it the one seen longest ago is forgotten, which only ever favours the caller. */
  readonly maxAddresses?: number;
}

/** Counts refused keys per address. */
export interface FailureLimiter {
  /** Seconds until the address may try again, or 0. */
  blockedSeconds(address: string): number;
  /** Records one refused key. */
  fail(address: string): void;
}

interface Bucket {
  failures: number;
  atMs: number;
}

const MAX_WAIT_SECONDS = 60;

/** A leaky bucket per address in a table of bounded size. An address that never failed costs one Map lookup. */
export function createFailureLimiter(options: FailureLimiterOptions): FailureLimiter {
  const { clock, burst = 100, perSecond = 5, maxAddresses = 10_000 } = options;
  const buckets = new Map<string, Bucket>();

  const leak = (bucket: Bucket): void => {
    const nowMs = clock.monotonic();
    bucket.failures = Math.max(0, bucket.failures - ((nowMs - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = nowMs;
  };

  return {
    blockedSeconds: (address) => {
      const bucket = buckets.get(address);
      if (bucket === undefined) return 0;
      leak(bucket);
      if (bucket.failures < burst) return 0;
      return Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil((bucket.failures - burst + 1) / perSecond)));
    },
    fail: (address) => {
      const bucket = buckets.get(address);
      if (bucket !== undefined) {
        leak(bucket);
        bucket.failures += 1;
        // Moved to the end, so that the first is the one seen longest ago.
        buckets.delete(address);
        buckets.set(address, bucket);
        return;
      }
      if (buckets.size >= maxAddresses) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      buckets.set(address, { failures: 1, atMs: clock.monotonic() });
    },
  };
}
