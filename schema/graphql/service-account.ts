import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ServiceAccountRow } from './ports/upstream-reads.ts';
import { Versioned } from './versioned.ts';

export const ServiceAccount = builder.loadableNodeRef('ServiceAccount', {
  id: { resolve: (row: ServiceAccountRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.serviceAccountsById(ids))],
});

ServiceAccount.implement({
  description: 'A program that owns keys of kind SERVICE_ACCOUNT. None of them works while it is disabled or archived.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    disabledAt: t.expose('disabled_at', { type: 'DateTime', nullable: true }),
    managedBy: t.exposeString('managed_by', { nullable: true }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  serviceAccounts: t.connection({
    type: ServiceAccount,
    description: 'Service accounts in order of creation.',
    authScopes: { permission: 'service_account:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('serviceAccounts', filter);
      const request = parsePage(args, identity);
      const page = await context.registry.serviceAccounts(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));

const ServiceAccountPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ serviceAccount: t.field({ type: ServiceAccount, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const ServiceAccountCreateInput = builder.inputType('ServiceAccountCreateInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), name: t.string({ required: true }) }),
});
const ServiceAccountUpdateInput = builder.inputType('ServiceAccountUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    disabled: t.boolean({ description: 'While it is, all its keys are refused.' }),
  }),
});
const ServiceAccountArchiveInput = builder.inputType('ServiceAccountArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  serviceAccountCreate: t.field({
    type: ServiceAccountPayload('ServiceAccountCreatePayload'),
    authScopes: { permission: 'service_account:create' },
    args: { input: t.arg({ type: ServiceAccountCreateInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.serviceAccountCreate(input)),
  }),
  serviceAccountUpdate: t.field({
    type: ServiceAccountPayload('ServiceAccountUpdatePayload'),
    authScopes: { permission: 'service_account:update' },
    args: { input: t.arg({ type: ServiceAccountUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, disabled } = input;
        if (name === null || disabled === null) throw badInput('`name` and `disabled` cannot be null.');
        return context.changes.serviceAccountUpdate({
          id: requireUuid('ServiceAccount', input.id),
          expectedVersion: input.expectedVersion,
          ...(name === undefined ? {} : { name }),
          ...(disabled === undefined ? {} : { disabled }),
        });
      }),
  }),
  serviceAccountArchive: t.field({
    type: ServiceAccountPayload('ServiceAccountArchivePayload'),
    description: 'Takes a service account out of use for good, its keys with it.',
    authScopes: { permission: 'service_account:archive' },
    args: { input: t.arg({ type: ServiceAccountArchiveInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.serviceAccountArchive({ ...input, id: requireUuid('ServiceAccount', input.id) })),
  }),
}));
