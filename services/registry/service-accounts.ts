import type { Selectable, Updateable } from 'kysely';
import type { ServiceAccountTable } from '../../schema/tables/service-account.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { sqlStateOf } from '../runtime/postgres.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange, requireChangeable } from './change.ts';

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
    .catch(nameTaken(input.name));
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
  const serviceAccount = await write(change, before, after).catch(nameTaken(input.name ?? before.name));
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
export async function requireServiceAccount(change: Change, id: string, path: readonly string[]): Promise<ServiceAccount> {
  const serviceAccount = await change.trx
    .selectFrom('service_accounts')
    .selectAll()
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .executeTakeFirst();
  if (serviceAccount === undefined) throw new RegistryError('not_found', 'There is no such service account.', path);
  return serviceAccount;
}

async function lockServiceAccount(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<ServiceAccount> {
  const row = await change.trx
    .selectFrom('service_accounts')
    .selectAll()
    .where('id', '=', input.id)
    .where('organization_id', '=', change.organizationId)
    .forUpdate()
    .executeTakeFirst();
  return requireChangeable(row, 'service account', input.expectedVersion);
}

function write(change: Change, before: ServiceAccount, after: Updateable<ServiceAccountTable>): Promise<ServiceAccount> {
  return change.trx
    .updateTable('service_accounts')
    .set({ ...after, version: before.version + 1, updated_at: new Date(change.clock.now()) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function nameTaken(name: string): (error: unknown) => never {
  return (error) => {
    if (sqlStateOf(error) === '23505') throw new RegistryError('name_taken', `A live service account named ${name} exists.`, ['name']);
    throw error;
  };
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
