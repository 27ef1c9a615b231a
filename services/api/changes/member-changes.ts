import type { MemberChanges } from '../../../schema/graphql/ports/member-changes.ts';
import { archiveServiceAccount, createServiceAccount, updateServiceAccount } from '../../registry/service-accounts.ts';
import { archiveUser, createUser, updateUser } from '../../registry/users.ts';
import { requireIdempotencyKey, requireName } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

const named = <Input extends { readonly name?: string }>(input: Input): Input =>
  input.name === undefined ? input : { ...input, name: requireName(input.name) };

/** The changes of one viewer to who owns keys. */
export function createMemberChanges(run: RunChange, organizationId: string): MemberChanges {
  return {
    serviceAccountCreate: ({ idempotencyKey, name }) => {
      const input = { name: requireName(name) };
      return run(
        { field: 'serviceAccountCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { serviceAccount, auditEventId } = await createServiceAccount(change, input);
          return { entityId: serviceAccount.id, row: null, auditEventId };
        },
      );
    },
    serviceAccountUpdate: (given) => {
      const input = named(given);
      return run(
        { field: 'serviceAccountUpdate', idempotencyKey: null, input, organizationId, target: { type: 'ServiceAccount', id: input.id } },
        async (change) => {
          const { serviceAccount, auditEventId } = await updateServiceAccount(change, input);
          return { entityId: serviceAccount.id, row: null, auditEventId };
        },
      );
    },
    serviceAccountArchive: (input) =>
      run(
        { field: 'serviceAccountArchive', idempotencyKey: null, input, organizationId, target: { type: 'ServiceAccount', id: input.id } },
        async (change) => {
          const { serviceAccount, auditEventId } = await archiveServiceAccount(change, input);
          return { entityId: serviceAccount.id, row: null, auditEventId };
        },
      ),
    userCreate: ({ idempotencyKey, email, name }) => {
      const input = { email: email.trim(), name: requireName(name) };
      return run(
        { field: 'userCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { user, auditEventId } = await createUser(change, input);
          return { entityId: user.id, row: null, auditEventId };
        },
      );
    },
    userUpdate: (given) => {
      const input = named(given);
      return run(
        { field: 'userUpdate', idempotencyKey: null, input, organizationId, target: { type: 'User', id: input.id } },
        async (change) => {
          const { user, auditEventId } = await updateUser(change, input);
          return { entityId: user.id, row: null, auditEventId };
        },
      );
    },
    userArchive: (input) =>
      run({ field: 'userArchive', idempotencyKey: null, input, organizationId, target: { type: 'User', id: input.id } }, async (change) => {
        const { user, auditEventId } = await archiveUser(change, input);
        return { entityId: user.id, row: null, auditEventId };
      }),
  };
}
