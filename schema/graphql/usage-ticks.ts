import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import type { UsageTick as UsageTickShape } from './ports/live-streams.ts';
import { controlTypeOf, StreamEnd, StreamGap, StreamHeartbeat } from './stream.ts';
import { GroupByInput, parseGroupBy, parseUsageFilter, UsageFilterInput } from './usage-filter.ts';
import { UsageGroup, UsageTotals } from './usage-totals.ts';

const shortestIntervalMs = 1_000;
const longestIntervalMs = 3_600_000;

const UsageTick = builder.objectRef<UsageTickShape>('UsageTick').implement({
  description: 'Usage since the start of the day in UTC. Each tick replaces the one before, so a lost one loses nothing.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor' }),
    seq: t.expose('position', { type: 'BigInt' }),
    since: t.expose('since', { type: 'DateTime' }),
    at: t.expose('at', { type: 'DateTime' }),
    groups: t.field({
      type: [UsageGroup],
      description: 'The 50 groups with the highest cost, and one `isOther` for the rest.',
      resolve: (tick) => tick.answer.groups.map(({ group, sums }) => ({ question: tick, group, sums })),
    }),
    totals: t.field({ type: UsageTotals, resolve: ({ answer }) => answer.totals }),
  }),
});

const UsageStream = builder.unionType('UsageStream', {
  types: [UsageTick, StreamHeartbeat, StreamGap, StreamEnd],
  resolveType: (event) => (event.kind === 'usage' ? 'UsageTick' : controlTypeOf(event)),
});

builder.subscriptionFields((t) => ({
  usageTicks: t.field({
    type: UsageStream,
    description: 'Usage of today, whenever something was booked, at most once in an interval.',
    authScopes: { permission: 'usage:read' },
    extensions: { cost: () => 20 },
    args: {
      filter: t.arg({ type: UsageFilterInput, required: true }),
      groupBy: t.arg({ type: [GroupByInput], required: true, defaultValue: [] }),
      interval: t.arg({ type: 'Duration', required: true, defaultValue: shortestIntervalMs, description: '1 second to 1 hour.' }),
      after: t.arg({ type: 'Cursor' }),
    },
    subscribe: (_root, args, context) => {
      if (args.interval < shortestIntervalMs || args.interval > longestIntervalMs) throw badInput('`interval` is from PT1S to PT1H.');
      const filter = parseUsageFilter(args.filter);
      return context.live.usageTicks({
        filter,
        ...parseGroupBy(args.groupBy, filter),
        intervalMs: args.interval,
        after: args.after ?? null,
      });
    },
    resolve: (event) => event,
  }),
}));
