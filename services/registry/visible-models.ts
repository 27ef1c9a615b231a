import type { Selectable } from 'kysely';
import type { ModelTable } from '../../schema/tables/model.table.ts';
import type { Change } from './change.ts';
import { RegistryError } from './change.ts';

/** A model with whose it is; null = shared by the installation. */
export type VisibleModel = Selectable<ModelTable> & { readonly organization_id: string | null };

/**
 * The live model with this uuid that the organization sees, and whose provider it is, or a refusal that names `path`. It is held
 * against its archiving until the change commits.
 */
export async function requireModel(change: Change, id: string, path: readonly string[]): Promise<VisibleModel> {
  const model = await visibleModels(change, id).where('providers.archived_at', 'is', null).forShare('models').executeTakeFirst();
  if (model === undefined || model.archived_at !== null) throw new RegistryError('not_found', 'There is no such model.', path);
  return model;
}

/** A model of the organization's own or a shared provider, live or not, with whose it is. */
export function visibleModels(change: Change, id: string) {
  return change.trx
    .selectFrom('models')
    .innerJoin('providers', 'providers.id', 'models.provider_id')
    .selectAll('models')
    .select('providers.organization_id')
    .where('models.id', '=', id)
    .where((where) =>
      where.or([where('providers.organization_id', 'is', null), where('providers.organization_id', '=', change.organizationId)]),
    );
}
