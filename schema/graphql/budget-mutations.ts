import type { BudgetCondition, BudgetKey, BudgetWindow } from '../values/budget.ts';
import { formatUsd } from '../values/money.ts';
import { badInput } from './bad-input.ts';
import { Budget, BudgetDimension, BudgetEnforcement, BudgetUnit, BudgetWindowKind, UnpricedModelPolicy } from './budget.ts';
import { budgetAmount } from './budget-amount.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { BudgetFields } from './ports/budgets.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';

const BudgetPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ budget: t.field({ type: Budget, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

export const BudgetKeyInput = builder.inputType('BudgetKeyInput', {
  fields: (t) => ({
    dimension: t.field({ type: BudgetDimension, required: true }),
    tagKey: t.string({ description: 'Of a TAG, and only of it.' }),
  }),
});
export const BudgetConditionInput = builder.inputType('BudgetConditionInput', {
  fields: (t) => ({
    dimension: t.field({ type: BudgetDimension, required: true }),
    tagKey: t.string({ description: 'Of a TAG, and only of it.' }),
    in: t.stringList({
      required: true,
      description: '1 to 100: ids of teams, users, service accounts, keys and routes; `provider/model` or `provider/*`; names and values.',
    }),
  }),
});
const BudgetWindowInput = builder.inputType('BudgetWindowInput', {
  fields: (t) => ({
    kind: t.field({ type: BudgetWindowKind, required: true }),
    zone: t.string({ description: 'IANA name, of a calendar window: UTC where left out.' }),
    anchor: t.string({
      description:
        'A local time at which a calendar window begins: 2001-01-15T06:00:00 makes months begin on the 15th at six. Left out: midnight; weeks on Monday.',
    }),
    length: t.field({ type: 'Duration', description: 'Of a ROLLING window, and only of it: whole minutes, at most 366 days.' }),
  }),
});
export const BudgetLimitInput = builder.inputType('BudgetLimitInput', {
  fields: (t) => ({
    unit: t.field({ type: BudgetUnit, required: true }),
    amount: t.field({ type: 'Decimal', required: true, description: 'USD, or a whole number of tokens or requests.' }),
    window: t.field({ type: BudgetWindowInput, required: true }),
  }),
});
export const FallbackPriceInput = builder.inputType('BudgetFallbackPriceInput', {
  description: 'In USD for a million tokens.',
  fields: (t) => ({ input: t.field({ type: 'Decimal', required: true }), output: t.field({ type: 'Decimal', required: true }) }),
});

const firstAnchor = '2001-01-01T00:00:00';

export function keyOf({ dimension, tagKey }: { dimension: BudgetKey['dimension']; tagKey?: string | null | undefined }): BudgetKey {
  return { dimension, tagKey: tagKey ?? null };
}

export function conditionOf(given: typeof BudgetConditionInput.$inferInput): BudgetCondition {
  return { ...keyOf(given), in: [...new Set(given.in)] };
}

function windowOf({ kind, zone, anchor, length }: typeof BudgetWindowInput.$inferInput): BudgetWindow {
  if ((kind === 'rolling') !== (length != null)) throw badInput('A ROLLING window, and only such a one, has a length.');
  if (kind === 'rolling') return { kind, seconds: (length ?? 0) / 1_000 };
  if (kind !== 'lifetime') return { kind, zone: zone ?? 'UTC', anchor: anchor ?? firstAnchor };
  if (zone != null || anchor != null) throw badInput('A LIFETIME has no zone and no anchor.');
  return { kind };
}

export function limitOf({ unit, amount, window }: typeof BudgetLimitInput.$inferInput): BudgetFields['limits'][number] {
  return { unit, amount: budgetAmount(unit, amount), window: windowOf(window) };
}

export function fallbackOf(price: typeof FallbackPriceInput.$inferInput | null | undefined): BudgetFields['fallbackPrice'] {
  return price == null ? null : { input: price.input.toString(), output: price.output.toString() };
}

const BudgetCreateInput = builder.inputType('BudgetCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true }),
    selector: t.field({ type: [BudgetConditionInput], required: true, defaultValue: [] }),
    groupBy: t.field({ type: [BudgetKeyInput], required: true, defaultValue: [] }),
    limits: t.field({ type: [BudgetLimitInput], required: true, description: '1 to 8, each of another unit or window.' }),
    thresholds: t.field({ type: ['Decimal'], required: true, defaultValue: [], description: 'Percent, at most 10.' }),
    enforcement: t.field({ type: BudgetEnforcement, required: true }),
    downgradeTo: t.string({ description: '`provider/model` or `route/name`, where the enforcement is DOWNGRADE and only there.' }),
    onUnpricedModel: t.field({ type: UnpricedModelPolicy, required: true, defaultValue: 'block' }),
    fallbackPrice: t.field({ type: FallbackPriceInput, description: 'Where the policy is FALLBACK, and only there.' }),
  }),
});
const BudgetUpdateInput = builder.inputType('BudgetUpdateInput', {
  description: 'What is left out stays as it is; lists are replaced as a whole. A limit whose unit and window stay keeps what was used.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    selector: t.field({ type: [BudgetConditionInput] }),
    groupBy: t.field({ type: [BudgetKeyInput] }),
    limits: t.field({ type: [BudgetLimitInput] }),
    thresholds: t.field({ type: ['Decimal'] }),
    enforcement: t.field({ type: BudgetEnforcement }),
    downgradeTo: t.string(),
    onUnpricedModel: t.field({ type: UnpricedModelPolicy }),
    fallbackPrice: t.field({ type: FallbackPriceInput }),
  }),
});
const BudgetResetInput = builder.inputType('BudgetResetInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log.' }),
  }),
});
const BudgetRaiseInput = builder.inputType('BudgetRaiseInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    unit: t.field({ type: BudgetUnit, required: true }),
    window: t.field({ type: BudgetWindowInput, required: true, description: 'With the unit: which of the limits, as it was defined.' }),
    by: t.field({
      type: 'Decimal',
      required: true,
      description: 'On top of the amount: USD, or a whole number of tokens or requests. 0 ends a raise.',
    }),
    until: t.field({ type: 'DateTime', description: 'In the future, within 366 days; left out where a raise is ended.' }),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log.' }),
  }),
});
const BudgetTopUpInput = builder.inputType('BudgetTopUpInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    unit: t.field({ type: BudgetUnit, required: true, description: 'Of the LIFETIME limit that it is added to.' }),
    by: t.field({ type: 'Decimal', required: true, description: 'Above 0: USD, or a whole number of tokens or requests.' }),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log.' }),
  }),
});
const BudgetArchiveInput = builder.inputType('BudgetArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  budgetCreate: t.field({
    type: BudgetPayload('BudgetCreatePayload'),
    description:
      'Makes a budget. Proxies enforce it from their next look at the registry on, a second at the most; requests in flight then are not counted.',
    authScopes: { permission: 'budget:create' },
    args: { input: t.arg({ type: BudgetCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.budgetCreate({
          idempotencyKey: input.idempotencyKey,
          name: input.name,
          selector: input.selector.map(conditionOf),
          groupBy: input.groupBy.map(keyOf),
          limits: input.limits.map(limitOf),
          thresholds: input.thresholds.map(formatUsd),
          enforcement: input.enforcement,
          downgradeTo: input.downgradeTo ?? null,
          onUnpricedModel: input.onUnpricedModel,
          fallbackPrice: fallbackOf(input.fallbackPrice),
        }),
      ),
  }),
  budgetUpdate: t.field({
    type: BudgetPayload('BudgetUpdatePayload'),
    authScopes: { permission: 'budget:update' },
    args: { input: t.arg({ type: BudgetUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, selector, groupBy, limits, thresholds, enforcement, onUnpricedModel } = input;
        if ([name, selector, groupBy, limits, thresholds, enforcement, onUnpricedModel].includes(null)) {
          throw badInput('Only `downgradeTo` and `fallbackPrice` can be null.');
        }
        return context.changes.budgetUpdate({
          id: requireUuid('Budget', input.id),
          expectedVersion: input.expectedVersion,
          ...(name == null ? {} : { name }),
          ...(selector == null ? {} : { selector: selector.map(conditionOf) }),
          ...(groupBy == null ? {} : { groupBy: groupBy.map(keyOf) }),
          ...(limits == null ? {} : { limits: limits.map(limitOf) }),
          ...(thresholds == null ? {} : { thresholds: thresholds.map(formatUsd) }),
          ...(enforcement == null ? {} : { enforcement }),
          ...(input.downgradeTo === undefined ? {} : { downgradeTo: input.downgradeTo }),
          ...(onUnpricedModel == null ? {} : { onUnpricedModel }),
          ...(input.fallbackPrice === undefined ? {} : { fallbackPrice: fallbackOf(input.fallbackPrice) }),
        });
      }),
  }),
  budgetReset: t.field({
    type: BudgetPayload('BudgetResetPayload'),
    description:
      'Counts from zero again, in every window of every limit. What was counted before is kept, and what is in flight settles there.',
    authScopes: { permission: 'budget:update' },
    args: { input: t.arg({ type: BudgetResetInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.budgetReset({ ...input, id: requireUuid('Budget', input.id) })),
  }),
  budgetRaise: t.field({
    type: BudgetPayload('BudgetRaisePayload'),
    description: 'Raises a limit for a time, in place of a raise of it that may run. It ends by itself; what was committed by then stays.',
    authScopes: { permission: 'budget:update' },
    args: { input: t.arg({ type: BudgetRaiseInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { expectedVersion, unit, by, until, reason } = input;
        return context.changes.budgetRaise({
          id: requireUuid('Budget', input.id),
          expectedVersion,
          unit,
          window: windowOf(input.window),
          by: budgetAmount(unit, by),
          until: until ?? null,
          reason,
        });
      }),
  }),
  budgetTopUp: t.field({
    type: BudgetPayload('BudgetTopUpPayload'),
    description:
      'Adds to what there is of a LIFETIME limit, for good: the next ask of a proxy finds it. No version is expected, since two of them add up in either order; the same idempotency key never adds twice.',
    authScopes: { permission: 'budget:update' },
    args: { input: t.arg({ type: BudgetTopUpInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.budgetTopUp({ ...input, id: requireUuid('Budget', input.id), by: budgetAmount(input.unit, input.by) }),
      ),
  }),
  budgetArchive: t.field({
    type: BudgetPayload('BudgetArchivePayload'),
    description: 'Takes a budget out of use; its name is free again.',
    authScopes: { permission: 'budget:archive' },
    args: { input: t.arg({ type: BudgetArchiveInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.budgetArchive({ ...input, id: requireUuid('Budget', input.id) })),
  }),
}));
