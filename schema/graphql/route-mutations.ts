import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { GivenRouteTarget } from './ports/route-changes.ts';
import { Route, RouteStrategy } from './route.ts';

const RoutePayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ route: t.field({ type: Route, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const RouteTargetInput = builder.inputType('RouteTargetInput', {
  fields: (t) => ({
    modelId: t.id({ required: true }),
    weight: t.int({ required: true, defaultValue: 1, description: '1 to 1,000.' }),
    credentialId: t.id({ description: "Of the model's provider; left out: the one the organization uses anyway." }),
  }),
});

const targetsOf = (
  targets: readonly { readonly modelId: string; readonly weight: number; readonly credentialId?: string | null | undefined }[],
): GivenRouteTarget[] =>
  targets.map(({ modelId, weight, credentialId }) => ({
    modelId: requireUuid('Model', modelId),
    weight,
    credentialId: credentialId == null ? null : requireUuid('ProviderCredential', credentialId),
  }));

const nameField = { description: 'Lower-case letters, digits, dots, dashes and underscores, at most 63; never a slash.' } as const;
const targetsDescription = '1 to 16, exactly one where the strategy is SINGLE.';

const capField = {
  type: 'BigInt',
  description:
    'Most tokens of one choice of the answer to a request that sets no limit itself. Left out, or null: the most that the model can. 1 to 1,000,000,000.',
} as const;
const injectField = { description: 'Write that cap into such requests, so that the provider is held to it.' } as const;
/** The registry refuses what is beyond its bounds, and no number that it takes is inexact. */
const tokensOf = (count: bigint | null): number | null => (count === null ? null : Number(count));

const RouteCreateInput = builder.inputType('RouteCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true, ...nameField }),
    strategy: t.field({ type: RouteStrategy, required: true, defaultValue: 'single' }),
    targets: t.field({ type: [RouteTargetInput], required: true, description: targetsDescription }),
    maxOutputTokens: t.field(capField),
    injectMaxTokens: t.boolean({ required: true, defaultValue: false, ...injectField }),
  }),
});
const RouteUpdateInput = builder.inputType('RouteUpdateInput', {
  description: 'What is left out stays as it is; targets are replaced as a whole.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(nameField),
    strategy: t.field({ type: RouteStrategy }),
    targets: t.field({ type: [RouteTargetInput], description: targetsDescription }),
    maxOutputTokens: t.field(capField),
    injectMaxTokens: t.boolean(injectField),
  }),
});
const RouteArchiveInput = builder.inputType('RouteArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  routeCreate: t.field({
    type: RoutePayload('RouteCreatePayload'),
    description: 'Makes a route; it can be called within a second.',
    authScopes: { permission: 'route:create' },
    args: { input: t.arg({ type: RouteCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.routeCreate({
          ...input,
          targets: targetsOf(input.targets),
          maxOutputTokens: tokensOf(input.maxOutputTokens ?? null),
        }),
      ),
  }),
  routeUpdate: t.field({
    type: RoutePayload('RouteUpdatePayload'),
    description: 'Changes a route; requests under way end where they began.',
    authScopes: { permission: 'route:update' },
    args: { input: t.arg({ type: RouteUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, strategy, targets, maxOutputTokens, injectMaxTokens } = input;
        if (name === null || strategy === null || targets === null || injectMaxTokens === null)
          throw badInput('Only `maxOutputTokens` can be null.');
        return context.changes.routeUpdate({
          id: requireUuid('Route', input.id),
          expectedVersion: input.expectedVersion,
          ...(name === undefined ? {} : { name }),
          ...(strategy === undefined ? {} : { strategy }),
          ...(targets === undefined ? {} : { targets: targetsOf(targets) }),
          ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: tokensOf(maxOutputTokens) }),
          ...(injectMaxTokens === undefined ? {} : { injectMaxTokens }),
        });
      }),
  }),
  routeArchive: t.field({
    type: RoutePayload('RouteArchivePayload'),
    description: 'Takes a route out of use: who asks for it is told there is no such model.',
    authScopes: { permission: 'route:archive' },
    args: { input: t.arg({ type: RouteArchiveInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.routeArchive({ ...input, id: requireUuid('Route', input.id) })),
  }),
}));
