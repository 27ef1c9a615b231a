import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import { ProviderCredential } from './provider-credential.ts';

const CredentialPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ providerCredential: t.field({ type: ProviderCredential, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const secretField = {
  required: true,
  description: 'What the provider gave out. It is sealed at once and can never be read again.',
} as const;

const CreateInput = builder.inputType('ProviderCredentialCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    providerId: t.id({ required: true, description: "The organization's own provider, or one of the installation." }),
    name: t.string({ required: true }),
    secret: t.string(secretField),
  }),
});
const RotateInput = builder.inputType('ProviderCredentialRotateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    expectedVersion: t.int({ description: 'The `version` you read, where that matters.' }),
    secret: t.string(secretField),
  }),
});
const UpdateInput = builder.inputType('ProviderCredentialUpdateInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField), name: t.string({ required: true }) }),
});
const RevokeInput = builder.inputType('ProviderCredentialRevokeInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});
const VerifyInput = builder.inputType('ProviderCredentialVerifyInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), id: t.id({ required: true }) }),
});

builder.mutationFields((t) => ({
  providerCredentialCreate: t.field({
    type: CredentialPayload('ProviderCredentialCreatePayload'),
    authScopes: { permission: 'credential:create' },
    args: { input: t.arg({ type: CreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerCredentialCreate({ ...input, providerId: requireUuid('Provider', input.providerId) })),
  }),
  providerCredentialRotate: t.field({
    type: CredentialPayload('ProviderCredentialRotatePayload'),
    description: 'Replaces the secret at once; requests under way end with the old one.',
    authScopes: { permission: 'credential:rotate' },
    args: { input: t.arg({ type: RotateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.providerCredentialRotate({
          ...input,
          id: requireUuid('ProviderCredential', input.id),
          expectedVersion: input.expectedVersion ?? null,
        }),
      ),
  }),
  providerCredentialUpdate: t.field({
    type: CredentialPayload('ProviderCredentialUpdatePayload'),
    authScopes: { permission: 'credential:update' },
    args: { input: t.arg({ type: UpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerCredentialUpdate({ ...input, id: requireUuid('ProviderCredential', input.id) })),
  }),
  providerCredentialRevoke: t.field({
    type: CredentialPayload('ProviderCredentialRevokePayload'),
    description: 'Ends a credential for good and forgets its secret. Refused while a route names it.',
    authScopes: { permission: 'credential:revoke' },
    args: { input: t.arg({ type: RevokeInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerCredentialRevoke({ ...input, id: requireUuid('ProviderCredential', input.id) })),
  }),
  providerCredentialVerify: t.field({
    type: CredentialPayload('ProviderCredentialVerifyPayload'),
    description:
      'Asks the provider for its models (`GET /models`) with the credential, for at most 5 seconds and without following redirects, and ' +
      'records in `lastVerifiedAt` and `verifyError` whether it was let in. Of the answer only the status is kept.',
    authScopes: { permission: 'credential:verify' },
    extensions: { cost: () => 50 },
    args: { input: t.arg({ type: VerifyInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.providerCredentialVerify({ ...input, id: requireUuid('ProviderCredential', input.id) })),
  }),
}));
