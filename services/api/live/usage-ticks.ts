import type { LiveStreams, StreamControl, UsageTick } from '../../../schema/graphql/ports/live-streams.ts';
import type { UsageAnswer, UsageQuestion, UsageReads } from '../../../schema/graphql/ports/usage-reads.ts';
import type { StreamSources } from './open-stream.ts';
import { openStream } from './open-stream.ts';
import type { SharedReports } from './shared-reports.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
const mostGroups = 50;

/** `usageTicks`: today's rollups, read again when something was booked, at most once in an interval. */
export function createUsageTicks(
  sources: StreamSources,
  usage: UsageReads,
  reports: SharedReports,
  input: Parameters<LiveStreams['usageTicks']>[0],
): Promise<AsyncIterableIterator<UsageTick | StreamControl>> {
  const { filter, groupBy, tagKey, intervalMs, after } = input;
  /** By the monotonic clock: the other may be set back. */
  let lastTickMs = Number.NEGATIVE_INFINITY;
  let last: UsageAnswer | null = null;
  let lastDay = 0;

  const changed = (answer: UsageAnswer, day: number): boolean =>
    last === null ||
    day !== lastDay ||
    answer.totals.requests !== last.totals.requests ||
    answer.totals.costPicoUsd !== last.totals.costPicoUsd;

  return openStream<UsageTick>(sources, {
    name: 'usageTicks',
    question: [filter, groupBy, tagKey, intervalMs],
    permissions: ['usage:read'],
    of: 'everything',
    after,
    waitMs: () =>
      lastTickMs === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(1, lastTickMs + intervalMs - sources.clock.monotonic()),
    step: async (place, channel) => {
      const now = sources.clock.now();
      const tickMs = sources.clock.monotonic();
      if (tickMs < lastTickMs + intervalMs) return { event: null, again: false };
      const first = last === null;
      // Only for its gaps: what lies between is in the sums.
      const item = await place.next();
      if (item !== null && 'kind' in item) return { event: item, again: true };
      if (item === null && !first) {
        lastTickMs = Number.NEGATIVE_INFINITY;
        return { event: null, again: false };
      }
      place.skipToHead();
      const position = channel.head;
      const day = Math.floor(now / dayMs) * dayMs;
      const question: UsageQuestion = {
        filter,
        groupBy,
        tagKey,
        from: new Date(day),
        to: new Date(Math.floor(now / hourMs) * hourMs + hourMs),
        interval: 'HOUR',
        topN: mostGroups,
        rankBy: 'COST',
      };
      const answer = await reports.share({ organizationId: sources.organizationId, position }, question, () => usage.report(question));
      lastTickMs = tickMs;
      const worthSending = changed(answer, day);
      last = answer;
      lastDay = day;
      if (!worthSending) return { event: null, again: false };
      return {
        event: { kind: 'usage', cursor: place.cursor(), position, since: new Date(day), at: new Date(now), groupBy, answer },
        again: true,
      };
    },
  });
}
