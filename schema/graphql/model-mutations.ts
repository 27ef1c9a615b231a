import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { Model } from './model.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { GivenPrices } from './ports/upstream-changes.ts';

const ModelPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ model: t.field({ type: Model, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const UnitPriceInput = builder.inputType('UnitPriceInput', {
  description: 'Exactly one of `usd` and `usdPerMillion`. "0" means free, on purpose; what is not named is not priced.',
  fields: (t) => ({
    unit: t.string({ required: true, description: 'A token class such as `input`, or `request`, `search`, `image`, `audioSecond`.' }),
    usd: t.field({ type: 'Decimal' }),
    usdPerMillion: t.field({ type: 'Decimal', description: 'Of a token class.' }),
  }),
});
const PriceTierInput = builder.inputType('PriceTierInput', {
  description: 'Prices of one way the provider sells the model. `standard` without a threshold must be among them.',
  fields: (t) => ({
    tier: t.string({ required: true, defaultValue: 'standard', description: '`standard`, `priority`, `flex` or `batch`.' }),
    aboveInputTokens: t.int({ description: 'Holds for requests with more input tokens than this; left out: for all.' }),
    units: t.field({ type: [UnitPriceInput], required: true }),
  }),
});

interface TierShape {
  readonly tier: string;
  readonly aboveInputTokens?: number | null | undefined;
  readonly units: readonly {
    readonly unit: string;
    readonly usd?: bigint | null | undefined;
    readonly usdPerMillion?: bigint | null | undefined;
  }[];
}

const givenPrices = (tiers: readonly TierShape[]): GivenPrices[] =>
  tiers.map(({ tier, aboveInputTokens, units }) => ({
    tier,
    aboveInputTokens: aboveInputTokens ?? null,
    units: units.map(({ unit, usd, usdPerMillion }) => {
      if ((usd == null) === (usdPerMillion == null)) throw badInput('Give exactly one of `usd` and `usdPerMillion`.');
      return { unit, usd: usd ?? null, usdPerMillion: usdPerMillion ?? null };
    }),
  }));

const limits = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  upstreamModel: t.string({ description: "The provider's own name of the model; null: the same name." }),
  contextWindow: t.field({ type: 'BigInt' }),
  maxOutputTokens: t.field({ type: 'BigInt' }),
});

const ModelCreateInput = builder.inputType('ModelCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    providerId: t.id({ required: true, description: "Of one of the organization's own providers." }),
    name: t.string({ required: true, description: "Without the provider's name, which is put before it." }),
    ...limits(t),
    price: t.field({ type: [PriceTierInput], description: 'Without one its requests are unrated, never free.' }),
  }),
});
const ModelUpdateInput = builder.inputType('ModelUpdateInput', {
  description: 'What is left out stays as it is; null takes a limit away.',
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField), ...limits(t) }),
});
const ModelArchiveInput = builder.inputType('ModelArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});
const validFromField = { type: 'DateTime', description: 'From when it holds: now where it is left out, never in the past.' } as const;
const PriceOverrideSetInput = builder.inputType('PriceOverrideSetInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    modelId: t.id({ required: true, description: "The organization's own model, or one of the installation." }),
    price: t.field({ type: [PriceTierInput], required: true }),
    validFrom: t.field(validFromField),
  }),
});
const PriceOverrideEndInput = builder.inputType('PriceOverrideEndInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    modelId: t.id({ required: true }),
    validFrom: t.field(validFromField),
  }),
});

builder.mutationFields((t) => ({
  modelCreate: t.field({
    type: ModelPayload('ModelCreatePayload'),
    authScopes: { permission: 'model:create' },
    args: { input: t.arg({ type: ModelCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.modelCreate({
          idempotencyKey: input.idempotencyKey,
          providerId: requireUuid('Provider', input.providerId),
          name: input.name,
          upstreamModel: input.upstreamModel ?? null,
          contextWindow: input.contextWindow ?? null,
          maxOutputTokens: input.maxOutputTokens ?? null,
          price: input.price == null ? null : givenPrices(input.price),
        }),
      ),
  }),
  modelUpdate: t.field({
    type: ModelPayload('ModelUpdatePayload'),
    authScopes: { permission: 'model:update' },
    args: { input: t.arg({ type: ModelUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        if (input.upstreamModel === null) throw badInput('`upstreamModel` cannot be null.');
        return context.changes.modelUpdate({
          id: requireUuid('Model', input.id),
          expectedVersion: input.expectedVersion,
          ...(input.upstreamModel === undefined ? {} : { upstreamModel: input.upstreamModel }),
          ...(input.contextWindow === undefined ? {} : { contextWindow: input.contextWindow }),
          ...(input.maxOutputTokens === undefined ? {} : { maxOutputTokens: input.maxOutputTokens }),
        });
      }),
  }),
  modelArchive: t.field({
    type: ModelPayload('ModelArchivePayload'),
    description: 'Takes a model out of use. Refused while a route goes to it.',
    authScopes: { permission: 'model:archive' },
    args: { input: t.arg({ type: ModelArchiveInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.modelArchive({ ...input, id: requireUuid('Model', input.id) })),
  }),
  priceOverrideSet: t.field({
    type: ModelPayload('PriceOverrideSetPayload'),
    description: 'What this organization pays for a model, its negotiated price: it wins over the shared one from `validFrom` on.',
    authScopes: { permission: 'price:set' },
    args: { input: t.arg({ type: PriceOverrideSetInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.priceOverrideSet({
          idempotencyKey: input.idempotencyKey,
          modelId: requireUuid('Model', input.modelId),
          price: givenPrices(input.price),
          validFrom: input.validFrom ?? null,
        }),
      ),
  }),
  priceOverrideEnd: t.field({
    type: ModelPayload('PriceOverrideEndPayload'),
    description: "Ends the organization's own price of a model: the shared one holds again, where there is one.",
    authScopes: { permission: 'price:set' },
    args: { input: t.arg({ type: PriceOverrideEndInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.priceOverrideEnd({
          idempotencyKey: input.idempotencyKey,
          modelId: requireUuid('Model', input.modelId),
          validFrom: input.validFrom ?? null,
        }),
      ),
  }),
}));
