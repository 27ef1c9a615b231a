import { badInput } from './bad-input.ts';
import { budgetAmount } from './budget-amount.ts';
import { BudgetConditionInput, BudgetKeyInput, conditionOf, keyOf } from './budget-mutations.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { RateLimitFields } from './ports/rate-limits.ts';
import { RateLimit, RateLimitPeriod, RateLimitUnit } from './rate-limit.ts';

const RateLimitPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ rateLimit: t.field({ type: RateLimit, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const RateLimitRuleInput = builder.inputType('RateLimitRuleInput', {
  fields: (t) => ({
    unit: t.field({ type: RateLimitUnit, required: true }),
    amount: t.field({ type: 'Decimal', required: true, description: 'USD, or a whole number of requests or tokens.' }),
    per: t.field({ type: RateLimitPeriod, description: 'Left out exactly where the unit is `CONCURRENT_REQUESTS`.' }),
  }),
});
const RateLimitReserveInput = builder.inputType('RateLimitReserveInput', {
  fields: (t) => ({
    percent: t.int({ required: true, description: 'Of each limit: 1 to 99.' }),
    for: t.field({ type: [BudgetConditionInput], required: true, description: 'Whom it is kept for: at least one, and all must hold.' }),
  }),
});
const rules = '1 to 8, each of another unit or period.';

function ruleOf({ unit, amount, per }: typeof RateLimitRuleInput.$inferInput): RateLimitFields['limits'][number] {
  return { unit, amount: budgetAmount(unit, amount), per: per ?? null };
}

function reserveOf(reserve: typeof RateLimitReserveInput.$inferInput | null | undefined): RateLimitFields['reserve'] {
  return reserve == null ? null : { percent: reserve.percent, for: reserve.for.map(conditionOf) };
}

const RateLimitCreateInput = builder.inputType('RateLimitCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true }),
    selector: t.field({ type: [BudgetConditionInput], required: true, defaultValue: [] }),
    groupBy: t.field({ type: [BudgetKeyInput], required: true, defaultValue: [] }),
    limits: t.field({ type: [RateLimitRuleInput], required: true, description: rules }),
    reserve: t.field({ type: RateLimitReserveInput }),
  }),
});
const RateLimitUpdateInput = builder.inputType('RateLimitUpdateInput', {
  description: 'What is left out stays as it is. A limit whose unit and period stay keeps what was used of it.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    selector: t.field({ type: [BudgetConditionInput] }),
    groupBy: t.field({ type: [BudgetKeyInput] }),
    limits: t.field({ type: [RateLimitRuleInput], description: rules }),
    reserve: t.field({ type: RateLimitReserveInput, description: 'Null: nothing is kept for anybody any more.' }),
  }),
});
const RateLimitArchiveInput = builder.inputType('RateLimitArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  rateLimitCreate: t.field({
    type: RateLimitPayload('RateLimitCreatePayload'),
    description: 'Makes a rate limit, which proxies enforce from their next look at the registry on, a second at the most.',
    authScopes: { permission: 'rate_limit:create' },
    args: { input: t.arg({ type: RateLimitCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.rateLimitCreate({
          idempotencyKey: input.idempotencyKey,
          name: input.name,
          selector: input.selector.map(conditionOf),
          groupBy: input.groupBy.map(keyOf),
          limits: input.limits.map(ruleOf),
          reserve: reserveOf(input.reserve),
        }),
      ),
  }),
  rateLimitUpdate: t.field({
    type: RateLimitPayload('RateLimitUpdatePayload'),
    authScopes: { permission: 'rate_limit:update' },
    args: { input: t.arg({ type: RateLimitUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, selector, groupBy, limits } = input;
        if ([name, selector, groupBy, limits].includes(null)) throw badInput('Only `reserve` can be null.');
        return context.changes.rateLimitUpdate({
          id: requireUuid('RateLimit', input.id),
          expectedVersion: input.expectedVersion,
          ...(name == null ? {} : { name }),
          ...(selector == null ? {} : { selector: selector.map(conditionOf) }),
          ...(groupBy == null ? {} : { groupBy: groupBy.map(keyOf) }),
          ...(limits == null ? {} : { limits: limits.map(ruleOf) }),
          ...(input.reserve === undefined ? {} : { reserve: reserveOf(input.reserve) }),
        });
      }),
  }),
  rateLimitArchive: t.field({
    type: RateLimitPayload('RateLimitArchivePayload'),
    description: 'Takes a rate limit out of use; its name is free again.',
    authScopes: { permission: 'rate_limit:archive' },
    args: { input: t.arg({ type: RateLimitArchiveInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.rateLimitArchive({ ...input, id: requireUuid('RateLimit', input.id) })),
  }),
}));
