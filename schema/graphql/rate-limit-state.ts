import { ApiKey } from './api-key.ts';
import { badInput } from './bad-input.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { BudgetGroupValue } from './budget-state.ts';
import { builder } from './builder.ts';
import type { RateLimitStateRow } from './ports/rate-limits.ts';
import { RateLimit, RateLimitPeriod, RateLimitUnit } from './rate-limit.ts';

const MOST_STATES = 100;

const RateLimitState = builder.objectRef<RateLimitStateRow>('RateLimitState').implement({
  description: 'How one limit stands for one group, in the period that runs: all figures of one moment.',
  fields: (t) => ({
    rateLimit: t.field({ type: RateLimit, resolve: ({ rateLimitId }) => rateLimitId }),
    unit: t.field({ type: RateLimitUnit, resolve: ({ unit }) => unit }),
    per: t.field({ type: RateLimitPeriod, resolve: ({ per }) => per }),
    isCommon: t.exposeBoolean('isCommon', {
      description:
        'True: this is the limit less its reserve, which counts only those that nothing is kept for. Both have to have room for them.',
    }),
    group: t.field({
      type: [BudgetGroupValue],
      nullable: true,
      description: 'In the order of `groupBy`. Null where the values are too long to be kept.',
      resolve: ({ groupBy, group }) =>
        group?.flatMap((value, index) => groupBy.slice(index, index + 1).map((key) => ({ ...key, value }))) ?? null,
    }),
    limit: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    settled: t.field({
      type: 'Decimal',
      description: 'Booked in this period.',
      resolve: ({ unit, settled }) => decimalOfBudget(unit, settled),
    }),
    held: t.field({
      type: 'Decimal',
      description: 'Kept for requests in flight and leased ahead by proxies.',
      resolve: ({ unit, held }) => decimalOfBudget(unit, held),
    }),
    remaining: t.field({
      type: 'Decimal',
      description:
        'limit - settled - held, at least 0: what proxies can still lease. What they have leased and not used is theirs to give.',
      resolve: ({ unit, amount, settled, held }) => {
        const rest = amount - settled - held;
        return decimalOfBudget(unit, rest > 0n ? rest : 0n);
      },
    }),
    resetsAt: t.expose('endsAt', { type: 'DateTime' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'By the clock of the database, which periods follow.' }),
  }),
});

builder.objectField(ApiKey, 'rateLimits', (t) =>
  t.loadableList({
    type: RateLimitState,
    description:
      'How the limits stand that count requests of this key, or may: where model, end user or tags of a request decide too. Of a limit that tells requests apart by these, the groups that were used in this period.',
    authScopes: { permission: 'rate_limit:read' },
    byPath: true,
    args: { first: t.arg.int({ required: true, defaultValue: 20, description: `At most ${MOST_STATES}.` }) },
    load: async (ids: string[], context, { first }) => {
      if (first < 0 || first > MOST_STATES) throw badInput(`\`first\` is 0 to ${MOST_STATES}.`);
      return (await context.registry.rateLimitStates(ids, first)).map((states) => [...states]);
    },
    resolve: (row) => row.id,
  }),
);
