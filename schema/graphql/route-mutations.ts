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

const RouteCreateInput = builder.inputType('RouteCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true, ...nameField }),
    strategy: t.field({ type: RouteStrategy, required: true, defaultValue: 'single' }),
    targets: t.field({ type: [RouteTargetInput], required: true, description: targetsDescription }),
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
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.routeCreate({ ...input, targets: targetsOf(input.targets) })),
  }),
  routeUpdate: t.field({
    type: RoutePayload('RouteUpdatePayload'),
    description: 'Changes a route; requests under way end where they began.',
    authScopes: { permission: 'route:update' },
    args: { input: t.arg({ type: RouteUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, strategy, targets } = input;
        if (name === null || strategy === null || targets === null) throw badInput('`name`, `strategy` and `targets` cannot be null.');
        return context.changes.routeUpdate({
          id: requireUuid('Route', input.id),
          expectedVersion: input.expectedVersion,
          ...(name === undefined ? {} : { name }),
          ...(strategy === undefined ? {} : { strategy }),
          ...(targets === undefined ? {} : { targets: targetsOf(targets) }),
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
