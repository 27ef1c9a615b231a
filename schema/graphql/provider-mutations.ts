import type { OutputLimitField } from '../values/output-cap.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ProviderSettings } from './ports/upstream-changes.ts';
import { OnClientGone, OutputLimitFieldName, Provider } from './provider.ts';

const ProviderPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ provider: t.field({ type: Provider, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

interface SettingsShape {
  readonly connectTimeout?: number | null | undefined;
  readonly firstByteTimeout?: number | null | undefined;
  readonly idleTimeout?: number | null | undefined;
  readonly maxConnections?: number | null | undefined;
  readonly onClientGone?: 'drain' | 'abort' | null | undefined;
  readonly outputLimitField?: OutputLimitField | null | undefined;
}

const ProviderSettingsInput = builder.inputRef<SettingsShape>('ProviderSettingsInput').implement({
  description: 'Bounds of calls to a provider. null takes one back to the default; one that is left out stays as it is.',
  fields: (t) => ({
    connectTimeout: t.field({ type: 'Duration' }),
    firstByteTimeout: t.field({ type: 'Duration', description: 'Until the first byte of the answer.' }),
    idleTimeout: t.field({ type: 'Duration', description: 'The longest silence inside a stream.' }),
    maxConnections: t.int({ description: '1 to 65,535.' }),
    onClientGone: t.field({ type: OnClientGone }),
    outputLimitField: t.field({ type: OutputLimitFieldName }),
  }),
});

function settingsOf(shape: SettingsShape | null | undefined): Partial<ProviderSettings> {
  if (shape == null) return {};
  return {
    ...(shape.connectTimeout === undefined ? {} : { connectTimeoutMs: shape.connectTimeout }),
    ...(shape.firstByteTimeout === undefined ? {} : { firstByteTimeoutMs: shape.firstByteTimeout }),
    ...(shape.idleTimeout === undefined ? {} : { idleTimeoutMs: shape.idleTimeout }),
    ...(shape.maxConnections === undefined ? {} : { maxConnections: shape.maxConnections }),
    ...(shape.onClientGone === undefined ? {} : { onClientGone: shape.onClientGone }),
    ...(shape.outputLimitField === undefined ? {} : { outputLimitField: shape.outputLimitField }),
  };
}
const defaults: ProviderSettings = {
  connectTimeoutMs: null,
  firstByteTimeoutMs: null,
  idleTimeoutMs: null,
  maxConnections: null,
  onClientGone: null,
  outputLimitField: null,
};

const baseUrlField = {
  description:
    'An http or https URL without query, fragment or user, such as `https://api.openai.com/v1`. The gateway calls whatever host it names: ' +
    'give `provider:create` and `provider:update` only to who may reach what the gateway can reach.',
} as const;

const ProviderCreateInput = builder.inputType('ProviderCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true, description: 'Lower-case letters, digits and dashes, at most 63; the first part of its models.' }),
    baseUrl: t.string({ required: true, ...baseUrlField }),
    settings: t.field({ type: ProviderSettingsInput }),
  }),
});
const ProviderUpdateInput = builder.inputType('ProviderUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    baseUrl: t.string(baseUrlField),
    settings: t.field({ type: ProviderSettingsInput }),
  }),
});
const ProviderArchiveInput = builder.inputType('ProviderArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  providerCreate: t.field({
    type: ProviderPayload('ProviderCreatePayload'),
    description: "Makes a provider of the organization's own, which speaks OpenAI's protocol. Nobody else sees or uses it.",
    authScopes: { permission: 'provider:create' },
    args: { input: t.arg({ type: ProviderCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerCreate({ ...input, settings: { ...defaults, ...settingsOf(input.settings) } })),
  }),
  providerUpdate: t.field({
    type: ProviderPayload('ProviderUpdatePayload'),
    authScopes: { permission: 'provider:update' },
    args: { input: t.arg({ type: ProviderUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.providerUpdate({
          id: requireUuid('Provider', input.id),
          expectedVersion: input.expectedVersion,
          ...(input.baseUrl == null ? {} : { baseUrl: input.baseUrl }),
          settings: settingsOf(input.settings),
        }),
      ),
  }),
  providerArchive: t.field({
    type: ProviderPayload('ProviderArchivePayload'),
    description: 'Takes a provider out of use, with its models and credentials. Refused while a route goes to one of its models.',
    authScopes: { permission: 'provider:archive' },
    args: { input: t.arg({ type: ProviderArchiveInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerArchive({ ...input, id: requireUuid('Provider', input.id) })),
  }),
}));
