import type { Selectable, Updateable } from 'kysely';
import type { ServiceAccountTable } from '../../schema/tables/service-account.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion, requireOwn } from './own-rows.ts';

export type ServiceAccount = Selectable<ServiceAccountTable>;

/** @throws RegistryError `name_taken` where a live service account of the organization has this name, in any case. */
export async function createServiceAccount(
  change: Change,
  input: { readonly name: string },
): Promise<{ serviceAccount: ServiceAccount; auditEventId: string }> {
  const now = new Date(change.clock.now());
  const serviceAccount = await change.trx
    .insertInto('service_accounts')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name: input.name,
      disabled_at: null,
      managed_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(taken(input.name));
  return {
    serviceAccount,
    auditEventId: await recordServiceAccount(change, 'service_account.create', serviceAccount, {}, { name: input.name }),
  };
}

/**
 * Renames a service account, or stops and resumes all of its keys at once.
 * @throws RegistryError `not_found`, `archived`, `managed_by_file`, `version_conflict`, `name_taken`.
 */
export async function updateServiceAccount(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name?: string; readonly disabled?: boolean },
): Promise<{ serviceAccount: ServiceAccount; auditEventId: string }> {
  const before = await lockServiceAccount(change, input);
  const disabledAt = before.disabled_at ?? new Date(change.clock.now());
  const after = {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.disabled === undefined ? {} : { disabled_at: input.disabled ? disabledAt : null }),
  };
  const serviceAccount = await write(change, before, after).catch(taken(input.name ?? before.name));
  return { serviceAccount, auditEventId: await recordServiceAccount(change, 'service_account.update', serviceAccount, before, after) };
}

/** Ends a service account: none of its keys works from then on. @throws RegistryError `not_found`, `archived`, `managed_by_file`, `version_conflict`. */
export async function archiveServiceAccount(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ serviceAccount: ServiceAccount; auditEventId: string }> {
  const before = await lockServiceAccount(change, input);
  const after = { archived_at: new Date(change.clock.now()) };
  const serviceAccount = await write(change, before, after);
  return { serviceAccount, auditEventId: await recordServiceAccount(change, 'service_account.archive', serviceAccount, before, after) };
}

/** The live service account of this organization with this uuid, or a refusal that names `path`. */
export function requireServiceAccount(change: Change, id: string, path: readonly string[]): Promise<ServiceAccount> {
  return requireOwn(change, change.trx.selectFrom('service_accounts').selectAll(), 'service account', id, path);
}

function lockServiceAccount(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<ServiceAccount> {
  return lockOwn(change, change.trx.selectFrom('service_accounts').selectAll(), 'service account', input);
}

function write(change: Change, before: ServiceAccount, after: Updateable<ServiceAccountTable>): Promise<ServiceAccount> {
  return change.trx
    .updateTable('service_accounts')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function taken(name: string): (error: unknown) => never {
  return nameTaken(`A live service account named ${name} exists.`);
}

function recordServiceAccount(
  change: Change,
  action: string,
  account: ServiceAccount,
  before: object,
  after: Record<string, unknown>,
): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'service_account', id: idFromUuid('serviceAccount', account.id), name: account.name }],
    changes: differences({ ...before }, after),
  });
}
