import { ApiKey } from './api-key.ts';
import { badInput } from './bad-input.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { BudgetGroupValue } from './budget-state.ts';
import { builder } from './builder.ts';
import type { RateLimitShares, RateLimitStateRow } from './ports/rate-limits.ts';
import { RateLimit, RateLimitPeriod, RateLimitUnit } from './rate-limit.ts';

const MOST_STATES = 100;

const RateLimitSharesType = builder.objectRef<RateLimitShares & Pick<RateLimitStateRow, 'unit'>>('RateLimitShares').implement({
  description: 'What proxies have of a limit of ten seconds or less, or of what runs at once, as each last told: at most some seconds ago.',
  fields: (t) => ({
    proxies: t.exposeInt('proxies', { description: 'Those that have a share.' }),
    given: t.field({
      type: 'Decimal',
      description: 'The shares of all of them together: never more than the limit, but for moments after it was lowered.',
      resolve: ({ unit, given }) => decimalOfBudget(unit, given),
    }),
    used: t.field({
      type: 'Decimal',
      description: 'What requests of the last period used of them, or those that run.',
      resolve: ({ unit, used }) => decimalOfBudget(unit, used),
    }),
    errorBound: t.field({
      type: 'Decimal',
      description:
        'How much more than the limit there may be at worst: shares of proxies that were not heard for a minute, which others may have now. Such a proxy lets nothing more through once it was 45 seconds without an answer, but what runs there runs on, and one whose machine was stopped with all its clocks may use its share once more. 0 while all are heard: then the limit is exact.',
      resolve: ({ unit, errorBound }) => decimalOfBudget(unit, errorBound),
    }),
  }),
});

const RateLimitState = builder.objectRef<RateLimitStateRow>('RateLimitState').implement({
  description: 'How one limit stands for one group, in the period that runs: all figures of one moment.',
  fields: (t) => ({
    rateLimit: t.field({ type: RateLimit, resolve: ({ rateLimitId }) => rateLimitId }),
    unit: t.field({ type: RateLimitUnit, resolve: ({ unit }) => unit }),
    per: t.field({ type: RateLimitPeriod, nullable: true, description: 'Null: at once.', resolve: ({ per }) => per }),
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
      description: 'Booked in this period; of a period of ten seconds or less, what requests of the last one used.',
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
    shares: t.field({
      type: RateLimitSharesType,
      nullable: true,
      description: 'Null for periods of a minute and more, which are counted, and exact.',
      resolve: ({ unit, shares }) => (shares === null ? null : { unit, ...shares }),
    }),
    resetsAt: t.expose('endsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Null where the period slides, and of what runs at once.',
    }),
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
