import type { Selectable } from 'kysely';
import type { OrganizationTable } from '../../schema/tables/organization.table.ts';
import type { BudgetExceededStatus } from '../../schema/values/budget-exceeded-status.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, recordChange, requireChangeable } from './change.ts';
import { nameTaken, nextVersion } from './own-rows.ts';

export type Organization = Selectable<OrganizationTable>;

/**
 * Creates an organization. The act lies above it, so its audit event stands in the log of the organization in `change`.
 * @throws RegistryError `name_taken` where the slug is in use.
 */
export async function createOrganization(
  change: Change,
  input: { readonly slug: string; readonly name: string; readonly id?: string },
): Promise<{ organization: Organization; auditEventId: string }> {
  const now = new Date(change.clock.now());
  const organization = await change.trx
    .insertInto('organizations')
    .values({
      id: input.id ?? mintRowId(change),
      slug: input.slug,
      name: input.name,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(`The slug ${input.slug} is in use.`, ['slug']));
  const auditEventId = await recordChange(change, {
    action: 'organization.create',
    targets: [{ type: 'organization', id: idFromUuid('organization', organization.id), name: organization.name }],
    changes: differences({}, { slug: input.slug, name: input.name }),
  });
  return { organization, auditEventId };
}

/** Renames the organization of `change`, or selects what its requests are refused with. @throws RegistryError `not_found`, `version_conflict`. */
export async function updateOrganization(
  change: Change,
  input: {
    readonly id: string;
    readonly expectedVersion: number;
    readonly name?: string;
    readonly budgetExceededStatus?: BudgetExceededStatus;
  },
): Promise<{ organization: Organization; auditEventId: string }> {
  const before = requireChangeable(
    await change.trx.selectFrom('organizations').selectAll().where('id', '=', input.id).forUpdate().executeTakeFirst(),
    'organization',
    input.expectedVersion,
  );
  const after = {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.budgetExceededStatus === undefined ? {} : { budget_exceeded_status: input.budgetExceededStatus }),
  };
  const organization = await change.trx
    .updateTable('organizations')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', input.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const auditEventId = await recordChange(change, {
    action: 'organization.update',
    targets: [{ type: 'organization', id: idFromUuid('organization', organization.id), name: organization.name }],
    changes: differences(before, after),
  });
  return { organization, auditEventId };
}
