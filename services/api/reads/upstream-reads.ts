import type { Kysely } from 'kysely';
import type { UpstreamReads } from '../../../schema/graphql/ports/upstream-reads.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

const credentialColumns = [
  'id',
  'organization_id',
  'provider_id',
  'name',
  'hint',
  'rotated_at',
  'verified_at',
  'verify_error',
  'managed_by',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const;

/** Reads of one organization's credentials and routes, and of the prices of the models it sees. */
export function createUpstreamReads(read: TenantRead, organizationId: string): UpstreamReads {
  const credentials = (trx: Kysely<Database>) =>
    trx.selectFrom('provider_credentials').select(credentialColumns).where('organization_id', '=', organizationId);
  const routes = (trx: Kysely<Database>) => trx.selectFrom('routes').selectAll().where('organization_id', '=', organizationId);

  return {
    credentialsById: (ids) => read(async (trx) => inOrderOf(ids, await credentials(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    credentials: (page, { providerId, includeArchived }) =>
      read((trx) => {
        let query = credentials(trx);
        if (providerId !== null) query = query.where('provider_id', '=', providerId);
        if (!includeArchived) query = query.where('archived_at', 'is', null);
        return readPage(query, page, inCreationOrder);
      }),
    routesById: (ids) => read(async (trx) => inOrderOf(ids, await routes(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    routes: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? routes(trx) : routes(trx).where('archived_at', 'is', null), page, inCreationOrder)),
    targetsOfRoutes: (routeIds) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('route_targets')
          .selectAll()
          .where('route_id', 'in', routeIds)
          // Row-level security says so as well.
          .where('route_id', 'in', (own) => own.selectFrom('routes').select('id').where('organization_id', '=', organizationId))
          .orderBy('position')
          .execute();
        return routeIds.map((id) => rows.filter((row) => row.route_id === id));
      }),
    priceVersionsByName: (names) =>
      read(async (trx) => {
        // Which of them are prices of a model this organization sees is row-level security's to say.
        const rows = await trx.selectFrom('price_versions').selectAll().where('name', 'in', names).execute();
        return inOrderOf(names, rows, (row) => row.name);
      }),
  };
}
