import { badInput } from './bad-input.ts';
import type { UsageInterval } from './ports/usage-reads.ts';

const lengthMs = { MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } as const satisfies Record<UsageInterval, number>;
/** Most buckets of a report (reference/graphql.md section 2). */
const mostBuckets = { MINUTE: 1_440, HOUR: 744, DAY: 400 } as const satisfies Record<UsageInterval, number>;

/** Length of a bucket in milliseconds; all are of the same length, since UTC has no other. */
export function intervalMs(interval: UsageInterval): number {
  return lengthMs[interval];
}

/**
 * Whole buckets in UTC around a range.
 * @throws GraphQLError `BAD_USER_INPUT` where the range is empty or has more buckets than the interval allows.
 */
export function snapRange(from: Date, to: Date, interval: UsageInterval): { readonly from: Date; readonly to: Date } {
  const length = lengthMs[interval];
  const start = Math.floor(from.getTime() / length) * length;
  const end = Math.ceil(to.getTime() / length) * length;
  if (!(end > start)) throw badInput('`range.to` must be after `range.from`.');
  if ((end - start) / length > mostBuckets[interval])
    throw badInput(`A report by ${interval} has at most ${mostBuckets[interval]} buckets.`);
  return { from: new Date(start), to: new Date(end) };
}

/** Upper bound of the buckets a report can have, for its cost before it is parsed. */
export function bucketsOf(fromMs: number, toMs: number, interval: UsageInterval): number {
  return Math.min(mostBuckets[interval], Math.max(1, Math.ceil((toMs - fromMs) / lengthMs[interval]) + 1));
}
