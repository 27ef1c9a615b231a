import type { RateLimitReserve, RateLimitRule } from '../values/rate-limit.ts';
import { RATE_LIMIT_PERIODS, RATE_LIMIT_UNITS } from '../values/rate-limit.ts';
import { BudgetConditionType, BudgetKeyType, upperCase } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { RateLimitRow } from './ports/rate-limits.ts';
import { Versioned } from './versioned.ts';

export const RateLimitUnit = builder.enumType('RateLimitUnit', { values: upperCase(RATE_LIMIT_UNITS) });
export const RateLimitPeriod = builder.enumType('RateLimitPeriod', {
  description:
    'Periods of a minute and more follow one another in UTC; weeks begin on Monday. Shorter ones slide: the limit holds for each span of that length, wherever it begins.',
  values: upperCase(RATE_LIMIT_PERIODS),
});

const RateLimitRuleType = builder.objectRef<RateLimitRule>('RateLimitRule').implement({
  fields: (t) => ({
    unit: t.field({ type: RateLimitUnit, resolve: ({ unit }) => unit }),
    amount: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    per: t.field({
      type: RateLimitPeriod,
      nullable: true,
      description: 'Null exactly for `CONCURRENT_REQUESTS`.',
      resolve: ({ per }) => per,
    }),
  }),
});

const RateLimitReserveType = builder.objectRef<RateLimitReserve>('RateLimitReserve').implement({
  fields: (t) => ({
    percent: t.exposeInt('percent', { description: 'Of each limit.' }),
    for: t.field({ type: [BudgetConditionType], description: 'All must hold.', resolve: (reserve) => [...reserve.for] }),
  }),
});

export const RateLimit = builder.loadableNodeRef('RateLimit', {
  id: { resolve: (row: RateLimitRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.rateLimitsById(ids))],
});

RateLimit.implement({
  description:
    'How much is let through in how long, by all proxies together and never more. A request is held at the most it can use before it is sent, settled at what it used, and refused with `rate_limit_exceeded` where there is no room. What is limited by ten seconds or less, or at once, proxies have shares of, which follow what is asked of them within two seconds. In USD, models without a price are not counted.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    selector: t.field({
      type: [BudgetConditionType],
      description: 'All must hold; none: every request of the organization.',
      resolve: ({ definition }) => [...definition.selector],
    }),
    groupBy: t.field({
      type: [BudgetKeyType],
      description: 'Each combination of values has the limits for itself; none: all share them.',
      resolve: ({ definition }) => [...definition.groupBy],
    }),
    limits: t.field({ type: [RateLimitRuleType], resolve: ({ definition }) => [...definition.limits] }),
    reserve: t.field({
      type: RateLimitReserveType,
      nullable: true,
      description:
        'A part of each limit that is kept for some, such as keys of high priority: they may use the whole limit, all others together only the rest, rounded down.',
      resolve: ({ definition }) => definition.reserve,
    }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  rateLimits: t.connection({
    type: RateLimit,
    description: 'Rate limits in order of creation.',
    authScopes: { permission: 'rate_limit:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('rateLimits', filter);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.rateLimits(request, filter), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
