/**
 * Fixed log-scale buckets for latencies, so that histograms of different rows, hours and proxies add up and percentiles
 * can be read from the sum (DESIGN.md, ruling "rollup dimensions"). Bucket i holds values <= 2^(i/2) ms; the last holds the
 * rest (above 19 minutes). A percentile is off by at most half a bucket, a factor of 2^(1/4).
 */
export const HISTOGRAM_BUCKETS = 42;

/** Index of the bucket of a latency in milliseconds: exactly the first whose {@link upperBoundMs} is not below it. */
export function bucketOf(latencyMs: number): number {
  if (!(latencyMs > 1)) return 0;
  // The logarithm may miss by one at a bound, since most bounds are no whole numbers.
  const near = Math.min(HISTOGRAM_BUCKETS - 1, Math.ceil(2 * Math.log2(latencyMs)));
  if (latencyMs <= upperBoundMs(near - 1)) return near - 1;
  return latencyMs <= upperBoundMs(near) ? near : near + 1;
}

/** Upper bound of a bucket in milliseconds; Infinity for the last. */
export function upperBoundMs(bucket: number): number {
  return bucket >= HISTOGRAM_BUCKETS - 1 ? Number.POSITIVE_INFINITY : 2 ** (bucket / 2);
}

/** The latency below which a share of the counted values lies (geometric middle of its bucket), or null when nothing was counted. */
export function percentileMs(counts: readonly bigint[], share: number): number | null {
  let total = 0n;
  for (const count of counts) total += count;
  if (total === 0n) return null;
  const rank = BigInt(Math.max(1, Math.ceil(Number(total) * share)));
  let seen = 0n;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= rank) return bucket === 0 ? 1 : 2 ** ((Math.min(bucket, HISTOGRAM_BUCKETS - 1) - 0.5) / 2);
  }
  return null;
}
