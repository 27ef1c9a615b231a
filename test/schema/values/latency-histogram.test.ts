import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, HISTOGRAM_BUCKETS, percentileMs, upperBoundMs } from '../../../schema/values/latency-histogram.ts';

const bounds = Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => upperBoundMs(bucket));

test('a bucket is the first whose upper bound is not below the value, at the bounds and next to them too', () => {
  const first = (latencyMs: number): number => bounds.findIndex((bound) => latencyMs <= bound);
  const near = bounds.filter(Number.isFinite).flatMap((bound) => [bound, bound * (1 + Number.EPSILON), bound * (1 - Number.EPSILON)]);
  for (const value of [0, ...near, 1e12, Number.POSITIVE_INFINITY]) expect(bucketOf(value), String(value)).toBe(first(value));
  fc.assert(fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (value) => bucketOf(value) === first(value)));
});

test('a percentile lies within half a bucket of the true value', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      (values, share) => {
        const counts = new Array<bigint>(HISTOGRAM_BUCKETS).fill(0n);
        for (const value of values) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0n) + 1n;
        const exact = values.toSorted((left, right) => left - right)[Math.max(1, Math.ceil(values.length * share)) - 1] ?? 0;
        const ratio = (percentileMs(counts, share) ?? 0) / exact;
        expect(Math.abs(Math.log2(ratio))).toBeLessThanOrEqual(0.25 + 1e-9);
      },
    ),
  );
  expect(percentileMs(new Array<bigint>(HISTOGRAM_BUCKETS).fill(0n), 0.5)).toBeNull();
});
