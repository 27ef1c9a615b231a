import { ApiKey, ApiKeyKind, KeyEnvironment, RequestOverride } from './api-key.ts';
import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import { mapOf, NameValueInput } from './name-value.ts';
import type { SecretOutcome } from './ports/api-key-changes.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ApiKeyRow } from './ports/registry-reads.ts';

const dayMs = 86_400_000;

const plainPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<ApiKeyRow>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ apiKey: t.field({ type: ApiKey, nullable: true, resolve: ({ row, entityId }) => row ?? entityId }) }),
  });

const secretPayload = (name: string) =>
  builder.objectRef<SecretOutcome>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({
      apiKey: t.field({ type: ApiKey, nullable: true, resolve: ({ row, entityId }) => row ?? entityId }),
      secret: t.exposeString('secret', {
        nullable: true,
        description: 'The key itself, this once: it is not stored, and a replay does not have it.',
      }),
    }),
  });

const settings = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  teamId: t.id(),
  allowedModels: t.stringList({ description: '`provider/model`, `provider/*`, `route/name` or `route/*`; null: every model.' }),
  allowedEndpoints: t.stringList({ description: 'Such as `/v1/chat/completions`; null: every endpoint.' }),
  allowedCidrs: t.stringList({
    description: 'At most 64 blocks of addresses such as `10.0.0.0/8` or `2001:db8::/32`; null: from everywhere.',
  }),
  allowedOverrides: t.field({ type: [RequestOverride], description: 'What its requests may decide by a header; null or empty: nothing.' }),
  tags: t.field({ type: [NameValueInput] }),
  metadata: t.field({ type: [NameValueInput] }),
  expiresAt: t.field({ type: 'DateTime' }),
  rotateEvery: t.field({ type: 'Duration', description: 'How often the key wants a new secret, `PT1H` to `P400D`; null: never.' }),
  rotateWithin: t.field({
    type: 'Duration',
    description: 'How long a secret works on once the next is due, at most `P400D`; null: until there is one.',
  }),
});

const ApiKeyCreateInput = builder.inputType('ApiKeyCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true }),
    kind: t.field({ type: ApiKeyKind, required: true, defaultValue: 'ak', description: 'MODEL, SERVICE_ACCOUNT or ADMIN.' }),
    environment: t.field({ type: KeyEnvironment, required: true, defaultValue: 'live' }),
    ...settings(t),
    serviceAccountId: t.id({ description: 'Whose key it is: of kind SERVICE_ACCOUNT, and only of it.' }),
    userId: t.id({ description: 'Whose key it is, where it is a person.' }),
    permissions: t.stringList({ description: 'Of an admin key; at most those of the key that asks.' }),
    organizationId: t.id({ description: 'Another organization, where the key administers the installation.' }),
  }),
});
const ApiKeyRotateInput = builder.inputType('ApiKeyRotateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    graceFor: t.field({
      type: 'Duration',
      required: true,
      defaultValue: dayMs,
      description: 'How long the old secret still works: 0 to 30 days.',
    }),
    replaceNewest: t.boolean({
      required: true,
      defaultValue: false,
      description:
        'The newest secret reached nobody, say because the answer was lost: it is revoked at once, and the one before works on for what is left of its grace. Only while there is one.',
    }),
  }),
});
const ApiKeyEndGraceInput = builder.inputType('ApiKeyEndGraceInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), id: t.id({ required: true }) }),
});
const ApiKeyRevokeInput = builder.inputType('ApiKeyRevokeInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    reason: t.string({ description: 'At most 500 characters; stands in the audit log.' }),
  }),
});
const ApiKeyUpdateInput = builder.inputType('ApiKeyUpdateInput', {
  description: 'What is left out stays as it is; null takes a limit away.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    ...settings(t),
    disabled: t.boolean({ description: 'A disabled key is refused until it is enabled again.' }),
  }),
});

const longestTag = 256;
const longestMetadata = 512;

builder.mutationFields((t) => ({
  apiKeyCreate: t.field({
    type: secretPayload('ApiKeyCreatePayload'),
    description: 'Makes a key. Its secret is in this answer and nowhere else.',
    authScopes: { permission: 'api_key:create' },
    args: { input: t.arg({ type: ApiKeyCreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        if (input.kind !== 'ak' && input.kind !== 'adm' && input.kind !== 'sa')
          throw badInput('Only keys of kind MODEL, SERVICE_ACCOUNT and ADMIN are created here.');
        return context.changes.apiKeyCreate({
          idempotencyKey: input.idempotencyKey,
          organizationId: input.organizationId == null ? null : requireUuid('Organization', input.organizationId),
          name: input.name,
          kind: input.kind,
          environment: input.environment,
          teamId: input.teamId == null ? null : requireUuid('Team', input.teamId),
          serviceAccountId: input.serviceAccountId == null ? null : requireUuid('ServiceAccount', input.serviceAccountId),
          userId: input.userId == null ? null : requireUuid('User', input.userId),
          allowedModels: input.allowedModels ?? null,
          allowedEndpoints: input.allowedEndpoints ?? null,
          allowedCidrs: input.allowedCidrs ?? null,
          allowedOverrides: input.allowedOverrides ?? null,
          tags: mapOf(input.tags ?? [], longestTag),
          metadata: mapOf(input.metadata ?? [], longestMetadata),
          permissions: input.permissions ?? [],
          expiresAt: input.expiresAt ?? null,
          rotateEveryMs: input.rotateEvery ?? null,
          rotateWithinMs: input.rotateWithin ?? null,
        });
      }),
  }),
  apiKeyRotate: t.field({
    type: secretPayload('ApiKeyRotatePayload'),
    description: 'Gives a key a new secret; the old one works on for `graceFor`.',
    authScopes: { permission: 'api_key:rotate' },
    args: { input: t.arg({ type: ApiKeyRotateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.apiKeyRotate({
          idempotencyKey: input.idempotencyKey,
          id: requireUuid('ApiKey', input.id),
          graceMs: input.graceFor,
          replaceNewest: input.replaceNewest,
        }),
      ),
  }),
  apiKeyEndGrace: t.field({
    type: plainPayload('ApiKeyEndGracePayload'),
    description: 'Ends the grace of a rotated key: its old secret is refused everywhere within a second, the new one works on.',
    authScopes: { permission: 'api_key:rotate' },
    args: { input: t.arg({ type: ApiKeyEndGraceInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.apiKeyEndGrace({ idempotencyKey: input.idempotencyKey, id: requireUuid('ApiKey', input.id) })),
  }),
  apiKeyRevoke: t.field({
    type: plainPayload('ApiKeyRevokePayload'),
    description: 'Ends a key for good: refused everywhere within a second.',
    authScopes: { permission: 'api_key:revoke' },
    args: { input: t.arg({ type: ApiKeyRevokeInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.apiKeyRevoke({
          idempotencyKey: input.idempotencyKey,
          id: requireUuid('ApiKey', input.id),
          reason: input.reason ?? null,
        }),
      ),
  }),
  apiKeyUpdate: t.field({
    type: plainPayload('ApiKeyUpdatePayload'),
    authScopes: { permission: 'api_key:update' },
    args: { input: t.arg({ type: ApiKeyUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        if (input.name === null || input.disabled === null) throw badInput('`name` and `disabled` cannot be null.');
        return context.changes.apiKeyUpdate({
          id: requireUuid('ApiKey', input.id),
          expectedVersion: input.expectedVersion,
          ...(input.name === undefined ? {} : { name: input.name }),
          ...(input.teamId === undefined ? {} : { teamId: input.teamId === null ? null : requireUuid('Team', input.teamId) }),
          ...(input.allowedModels === undefined ? {} : { allowedModels: input.allowedModels }),
          ...(input.allowedEndpoints === undefined ? {} : { allowedEndpoints: input.allowedEndpoints }),
          ...(input.allowedCidrs === undefined ? {} : { allowedCidrs: input.allowedCidrs }),
          ...(input.allowedOverrides === undefined ? {} : { allowedOverrides: input.allowedOverrides }),
          ...(input.tags === undefined ? {} : { tags: mapOf(input.tags ?? [], longestTag) }),
          ...(input.metadata === undefined ? {} : { metadata: mapOf(input.metadata ?? [], longestMetadata) }),
          ...(input.expiresAt === undefined ? {} : { expiresAt: input.expiresAt }),
          ...(input.rotateEvery === undefined ? {} : { rotateEveryMs: input.rotateEvery }),
          ...(input.rotateWithin === undefined ? {} : { rotateWithinMs: input.rotateWithin }),
          ...(input.disabled === undefined ? {} : { disabled: input.disabled }),
        });
      }),
  }),
}));
