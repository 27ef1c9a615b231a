import type { Selectable, Updateable } from 'kysely';
import type { UserTable } from '../../schema/tables/user.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { mintRowId, RegistryError, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion, requireOwn } from './own-rows.ts';

export type User = Selectable<UserTable>;

const EMAIL = /^[^\s@]+@[^\s@]+$/;
const MAX_EMAIL_LENGTH = 254;
const emailTaken = nameTaken('A live user has this email address.', ['email']);

/** @throws RegistryError `name_taken` where a live user of the organization has this address, in any case; `invalid`. */
export async function createUser(
  change: Change,
  input: { readonly email: string; readonly name: string },
): Promise<{ user: User; auditEventId: string }> {
  checkEmail(input.email);
  const now = new Date(change.clock.now());
  const user = await change.trx
    .insertInto('users')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      email: input.email,
      name: input.name,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(emailTaken);
  return { user, auditEventId: await recordUser(change, 'user.create', user, ['email', 'name']) };
}

/** @throws RegistryError `not_found`, `archived`, `version_conflict`, `name_taken`, `invalid`. */
export async function updateUser(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly email?: string; readonly name?: string },
): Promise<{ user: User; auditEventId: string }> {
  const before = await lockUser(change, input);
  if (input.email !== undefined) checkEmail(input.email);
  const after = {
    ...(input.email === undefined ? {} : { email: input.email }),
    ...(input.name === undefined ? {} : { name: input.name }),
  };
  const user = await write(change, before, after).catch(emailTaken);
  const changed = (['email', 'name'] as const).filter((field) => user[field] !== before[field]);
  return { user, auditEventId: await recordUser(change, 'user.update', user, changed) };
}

/** Ends a user: none of their keys works from then on; their usage stays told under their id. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveUser(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ user: User; auditEventId: string }> {
  const user = await write(change, await lockUser(change, input), { archived_at: new Date(change.clock.now()) });
  return { user, auditEventId: await recordUser(change, 'user.archive', user, ['archived_at']) };
}

/** The live user of this organization with this uuid, or a refusal that names `path`. */
export function requireUser(change: Change, id: string, path: readonly string[]): Promise<User> {
  return requireOwn(change, change.trx.selectFrom('users').selectAll(), 'user', id, path);
}

function lockUser(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<User> {
  return lockOwn(change, change.trx.selectFrom('users').selectAll(), 'user', input);
}

function write(change: Change, before: User, after: Updateable<UserTable>): Promise<User> {
  return change.trx
    .updateTable('users')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function checkEmail(email: string): void {
  if (email.length <= MAX_EMAIL_LENGTH && EMAIL.test(email)) return;
  throw new RegistryError('invalid', 'An email address looks like name@example.org.', ['email']);
}

/** Says which fields changed and never to what: audit events are leaves, which are for ever, and persons may be forgotten. */
function recordUser(change: Change, action: string, user: User, fields: readonly string[]): Promise<string> {
  const id = idFromUuid('user', user.id);
  return recordChange(change, {
    action,
    targets: [{ type: 'user', id, name: id }],
    changes: fields.map((field) => ({ field, from: null, to: 'withheld' })),
  });
}
