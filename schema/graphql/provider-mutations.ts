import type { OutputLimitField } from '../values/output-cap.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ProviderSettings } from './ports/upstream-changes.ts';
import { OnClientGone, OutputLimitFieldName, Provider, ProviderProtocolName } from './provider.ts';

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
  readonly apiVersion?: string | null | undefined;
  readonly servesResponses?: boolean | null | undefined;
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
    apiVersion: t.string({ description: "Of Azure's dated APIs, such as `2024-10-21`; only where the protocol is `AZURE_OPENAI`." }),
    servesResponses: t.boolean({ description: 'Whether it serves `POST /responses` itself; only where the protocol is `OPENAI`.' }),
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
    ...(shape.apiVersion === undefined ? {} : { apiVersion: shape.apiVersion }),
    ...(shape.servesResponses === undefined ? {} : { servesResponses: shape.servesResponses }),
  };
}
const defaults: ProviderSettings = {
  connectTimeoutMs: null,
  firstByteTimeoutMs: null,
  idleTimeoutMs: null,
  maxConnections: null,
  onClientGone: null,
  outputLimitField: null,
  apiVersion: null,
  servesResponses: null,
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
    protocol: t.field({ type: ProviderProtocolName, defaultValue: 'openai' }),
    baseUrl: t.string({
      description: `${baseUrlField.description} Only with the protocols OPENAI and AZURE_OPENAI it has to be named; others are where they serve.`,
    }),
    settings: t.field({ type: ProviderSettingsInput }),
  }),
});
const ProviderUpdateInput = builder.inputType('ProviderUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    protocol: t.field({ type: ProviderProtocolName }),
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
    description: "Makes a provider of the organization's own. Nobody else sees or uses it.",
    authScopes: { permission: 'provider:create' },
    args: { input: t.arg({ type: ProviderCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.providerCreate({
          idempotencyKey: input.idempotencyKey,
          name: input.name,
          protocol: input.protocol ?? 'openai',
          baseUrl: input.baseUrl ?? null,
          settings: { ...defaults, ...settingsOf(input.settings) },
        }),
      ),
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
          ...(input.protocol == null ? {} : { protocol: input.protocol }),
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
