import type { Clock } from './clock.ts';

export interface FailureLimiterOptions {
  readonly clock: Clock;
  /** Failures an address may cause at once. */
  readonly burst: number;
  /** Failures a second it is forgiven. */
  readonly perSecond: number;
  /** Addresses remembered; beyond it the one that failed longest ago is forgotten, which only ever favours the caller. */
  readonly maxAddresses?: number;
}

/** Counts what failed, such as refused keys, by address: of IPv6 by its /64, for who has one address there has them all. */
export interface FailureLimiter {
  /** Seconds until the address may try again, or 0. */
  blockedSeconds(address: string): number;
  /** Records one failure. */
  fail(address: string): void;
  /** Takes one back that was recorded before its outcome was known: many at once must not all be begun before the first has failed. */
  forgive(address: string): void;
}

interface Bucket {
  failures: number;
  atMs: number;
}

const MAX_WAIT_SECONDS = 60;

/** A leaky bucket per address in a table of bounded size. While nobody failed, nothing is looked at. */
export function createFailureLimiter(options: FailureLimiterOptions): FailureLimiter {
  const { clock, burst, perSecond, maxAddresses = 10_000 } = options;
  const buckets = new Map<string, Bucket>();

  const leak = (bucket: Bucket): void => {
    const nowMs = clock.monotonic();
    bucket.failures = Math.max(0, bucket.failures - ((nowMs - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = nowMs;
  };

  return {
    blockedSeconds: (address) => {
      if (buckets.size === 0) return 0;
      const bucket = buckets.get(networkOf(address));
      if (bucket === undefined) return 0;
      leak(bucket);
      if (bucket.failures < burst) return 0;
      return Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil((bucket.failures - burst + 1) / perSecond)));
    },
    fail: (address) => {
      const network = networkOf(address);
      const bucket = buckets.get(network);
      if (bucket !== undefined) {
        leak(bucket);
        bucket.failures += 1;
        // Moved to the end, so that the first is the one that failed longest ago.
        buckets.delete(network);
        buckets.set(network, bucket);
        return;
      }
      if (buckets.size >= maxAddresses) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      buckets.set(network, { failures: 1, atMs: clock.monotonic() });
    },
    forgive: (address) => {
      const bucket = buckets.get(networkOf(address));
      if (bucket !== undefined) bucket.failures = Math.max(0, bucket.failures - 1);
    },
  };
}

const MAPPED = /^::ffff:([\d.]+)$/i;

/** IPv4 as it is, also where a socket of both families tells it; of IPv6 the first 64 bits. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const all = [...left, ...new Array<string>(zeros).fill('0'), ...right];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Two for the dotted end that an address may have. */
function groups(text: string): string[] {
  return text.split(':').flatMap((group) => (group === '' ? [] : group.includes('.') ? ['0', '0'] : [group]));
}
