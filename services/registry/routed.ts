import type { Change } from './change.ts';
import { RegistryError } from './change.ts';

/** Routes a refusal names at most. */
const MAX_LISTED = 8;

/**
 * Refuses to take away what a live route of the organization goes to. The caller holds the rows of `ids`, so that no route
 * can come to them in between.
 * @throws RegistryError `invalid`, naming the routes.
 */
export async function refuseRouted(change: Change, column: 'model_id' | 'credential_id', ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const routes = await change.trx
    .selectFrom('routes')
    .select('name')
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .where('id', 'in', (targets) => targets.selectFrom('route_targets').select('route_id').where(column, 'in', ids))
    .orderBy('name')
    .limit(MAX_LISTED)
    .execute();
  if (routes.length === 0) return;
  const names = routes.map((route) => route.name).join(', ');
  throw new RegistryError('invalid', `Routes go there: ${names}. Change or archive them first.`, ['id']);
}
