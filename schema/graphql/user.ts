import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { UserRow } from './ports/upstream-reads.ts';
import { Versioned } from './versioned.ts';

export const User = builder.loadableNodeRef('User', {
  id: { resolve: (row: UserRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.usersById(ids))],
});

User.implement({
  description: 'A person who may own keys, so that usage can be told by person. Users do not log in.',
  interfaces: [Versioned],
  fields: (t) => ({
    email: t.exposeString('email'),
    name: t.exposeString('name'),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  users: t.connection({
    type: User,
    description: 'Users in order of creation.',
    authScopes: { permission: 'user:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('users', filter);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.users(request, filter), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));

const UserPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ user: t.field({ type: User, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const UserCreateInput = builder.inputType('UserCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    email: t.string({ required: true, description: 'Unique among the live users of the organization, in any case.' }),
    name: t.string({ required: true }),
  }),
});
const UserUpdateInput = builder.inputType('UserUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField), email: t.string(), name: t.string() }),
});
const UserArchiveInput = builder.inputType('UserArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  userCreate: t.field({
    type: UserPayload('UserCreatePayload'),
    authScopes: { permission: 'user:create' },
    args: { input: t.arg({ type: UserCreateInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.userCreate(input)),
  }),
  userUpdate: t.field({
    type: UserPayload('UserUpdatePayload'),
    authScopes: { permission: 'user:update' },
    args: { input: t.arg({ type: UserUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { email, name } = input;
        if (email === null || name === null) throw badInput('`email` and `name` cannot be null.');
        return context.changes.userUpdate({
          id: requireUuid('User', input.id),
          expectedVersion: input.expectedVersion,
          ...(email === undefined ? {} : { email }),
          ...(name === undefined ? {} : { name }),
        });
      }),
  }),
  userArchive: t.field({
    type: UserPayload('UserArchivePayload'),
    description: 'Takes a user out of the lists; what they used stays told by person.',
    authScopes: { permission: 'user:archive' },
    args: { input: t.arg({ type: UserArchiveInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.userArchive({ ...input, id: requireUuid('User', input.id) })),
  }),
}));
