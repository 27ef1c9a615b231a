import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import type { UsageAnswer, UsageInterval, UsageQuestion } from './ports/usage-reads.ts';
import { GroupByInput, parseGroupBy, parseUsageFilter, UsageFilterInput } from './usage-filter.ts';
import { bucketsOf, intervalMs, snapRange } from './usage-range.ts';
import { UsageGroup, UsageTotals } from './usage-totals.ts';

const Interval = builder.enumType('UsageInterval', { values: ['MINUTE', 'HOUR', 'DAY'] as const });
const Rank = builder.enumType('UsageRank', { values: ['COST', 'REQUESTS', 'TOKENS'] as const });

export const TimeRange = builder.inputType('TimeRange', {
  fields: (t) => ({
    from: t.field({ type: 'DateTime', required: true, description: 'Moved back to the start of its bucket in UTC.' }),
    to: t.field({ type: 'DateTime', description: 'Exclusive; moved on to the end of its bucket. Now where it is left out.' }),
  }),
});

interface Report {
  readonly question: UsageQuestion;
  readonly answer: UsageAnswer;
  readonly now: Date;
}

interface Bucket {
  readonly report: Report;
  readonly start: Date;
}

const endOf = ({ report, start }: Bucket): Date => new Date(start.getTime() + intervalMs(report.question.interval));

const UsageBucket = builder.objectRef<Bucket>('UsageBucket').implement({
  description: 'One interval of the chart.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime' }),
    end: t.field({ type: 'DateTime', description: 'Exclusive.', resolve: endOf }),
    partial: t.boolean({ description: 'It is not over yet.', resolve: (bucket) => endOf(bucket) > bucket.report.now }),
    totals: t.field({
      type: UsageTotals,
      nullable: true,
      description: 'Null where nothing was used.',
      resolve: ({ report, start }) => report.answer.buckets.find(({ bucket }) => bucket.getTime() === start.getTime())?.sums ?? null,
    }),
    series: t.field({
      type: [UsageGroup],
      description: 'The groups of the table that used something here.',
      resolve: ({ report, start }) =>
        report.answer.points
          .filter(({ bucket }) => bucket.getTime() === start.getTime())
          .map(({ group, sums }) => ({ question: report.question, group, sums })),
    }),
  }),
});

const UsageReport = builder.objectRef<Report>('UsageReport').implement({
  description: 'Chart, table and total out of one statement: buckets add up to the groups, and groups to the total.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', resolve: ({ question }) => question.from }),
    to: t.field({ type: 'DateTime', resolve: ({ question }) => question.to }),
    buckets: t.field({
      type: [UsageBucket],
      description: 'Every interval of the range, empty ones too.',
      resolve: (report) => {
        const { from, to, interval } = report.question;
        const count = (to.getTime() - from.getTime()) / intervalMs(interval);
        return Array.from({ length: count }, (_none, index) => ({
          report,
          start: new Date(from.getTime() + index * intervalMs(interval)),
        }));
      },
    }),
    groups: t.field({
      type: [UsageGroup],
      description: 'The `topN` groups by rank, and one `isOther` for all the rest where there are more.',
      resolve: ({ question, answer }) => answer.groups.map(({ group, sums }) => ({ question, group, sums })),
    }),
    totals: t.field({ type: UsageTotals, resolve: ({ answer }) => answer.totals }),
    dataThrough: t.field({
      type: 'DateTime',
      description: 'Everything booked up to this instant is counted.',
      resolve: ({ answer }) => answer.dataThrough,
    }),
    isPartial: t.boolean({ description: 'The last bucket is not over yet.', resolve: ({ question, now }) => question.to > now }),
    truncated: t.boolean({ description: 'There were more groups than `topN`.', resolve: ({ answer }) => answer.truncated }),
  }),
});

const mostGroups = 50;
/** What a report costs: its statement, and what it has to send (reference/graphql.md section 4). */
const reportCost = {
  cost: (args: Readonly<Record<string, unknown>>, now: Date): number => {
    const range = args.range;
    const from = typeof range === 'object' && range !== null && 'from' in range && range.from instanceof Date ? range.from.getTime() : 0;
    const to =
      typeof range === 'object' && range !== null && 'to' in range && range.to instanceof Date ? range.to.getTime() : now.getTime();
    const interval: UsageInterval = args.interval === 'MINUTE' ? 'MINUTE' : args.interval === 'HOUR' ? 'HOUR' : 'DAY';
    const groups = typeof args.topN === 'number' ? Math.min(args.topN, mostGroups) + 1 : 1;
    return 20 + Math.ceil((bucketsOf(from, to, interval) * groups) / 100);
  },
};

builder.queryFields((t) => ({
  usage: t.field({
    type: UsageReport,
    description: 'Usage and cost by time and group.',
    authScopes: { permission: 'usage:read' },
    extensions: reportCost,
    args: {
      filter: t.arg({ type: UsageFilterInput }),
      range: t.arg({ type: TimeRange, required: true }),
      interval: t.arg({ type: Interval, required: true }),
      groupBy: t.arg({ type: [GroupByInput], required: true, defaultValue: [], description: 'At most two dimensions.' }),
      topN: t.arg.int({ required: true, defaultValue: 10, description: '1 to 50.' }),
      rankBy: t.arg({ type: Rank, required: true, defaultValue: 'COST' }),
    },
    resolve: async (_root, args, context) => {
      if (args.topN < 1 || args.topN > mostGroups) throw badInput(`\`topN\` is from 1 to ${mostGroups}.`);
      const now = context.now();
      const filter = parseUsageFilter(args.filter);
      const question: UsageQuestion = {
        filter,
        ...snapRange(args.range.from, args.range.to ?? now, args.interval),
        interval: args.interval,
        ...parseGroupBy(args.groupBy, filter),
        topN: args.topN,
        rankBy: args.rankBy,
      };
      return { question, answer: await context.usage.report(question), now };
    },
  }),
}));
