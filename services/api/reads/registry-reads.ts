import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Viewer } from '../../../schema/graphql/context.ts';
import { notFound } from '../../../schema/graphql/not-found.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { ApiKeyFilter, ModelFilter, RegistryReads } from '../../../schema/graphql/ports/registry-reads.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { createAlertChannelReads } from './alert-channel-reads.ts';
import { createBudgetReads } from './budget-reads.ts';
import { isCoveredBy } from './covered-keys.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import { createMemberReads } from './member-reads.ts';
import { createRateLimitReads } from './rate-limit-reads.ts';
import { createRateLimitStateReads } from './rate-limit-state-reads.ts';
import type { TenantRead } from './tenant-read.ts';
import { createUpstreamReads } from './upstream-reads.ts';

const byName = { column: { name: 'name', type: 'text' }, id: 'id', descending: false } as const;
const providerColumns = [
  'id',
  'organization_id',
  'name',
  'protocol',
  'base_url',
  'managed_by',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
  'options',
  // The organization sees its own credentials only.
  sql<boolean>`credential is not null or exists (select from provider_credentials
    where provider_credentials.provider_id = providers.id and provider_credentials.archived_at is null)`.as('has_credential'),
] as const;
const secretColumns = ['id', 'api_key_id', 'display', 'created_at', 'expires_at', 'revoked_at', 'leaked_at'] as const;

/** `%` and `_` of a search mean themselves. */
const contains = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/**
 * Reads of the registry from within the viewer's organization.
 * @param all a connection that row-level security does not bind, used only to list organizations for who administers the
 * installation: that is an act above any one of them.
 */
export function createRegistryReads(read: TenantRead, viewer: Viewer, all: Kysely<Database>): RegistryReads {
  const { organizationId } = viewer;
  const administers = allows(viewer.permissions, 'installation:admin');
  const readOrganizations: TenantRead = administers ? (query) => all.transaction().setAccessMode('read only').execute(query) : read;

  const teams = (trx: Kysely<Database>, includeArchived: boolean) => {
    const query = trx.selectFrom('teams').where('organization_id', '=', organizationId);
    return includeArchived ? query : query.where('archived_at', 'is', null);
  };
  const apiKeys = (trx: Kysely<Database>, filter: ApiKeyFilter) => {
    let query = trx.selectFrom('api_keys').where('organization_id', '=', organizationId).where(isCoveredBy(viewer.permissions));
    if (filter.teamId !== null) query = query.where('team_id', '=', filter.teamId);
    if (filter.serviceAccountId !== null) query = query.where('service_account_id', '=', filter.serviceAccountId);
    if (filter.userId !== null) query = query.where('user_id', '=', filter.userId);
    if (filter.kind !== null) query = query.where(sql<boolean>`kind = ${filter.kind}`);
    if (filter.isRotationDue) query = query.where(sql<boolean>`rotation_due_at <= now()`);
    return filter.includeRevoked ? query : query.where('revoked_at', 'is', null);
  };
  /** The installation's and the organization's own; row-level security says so as well. */
  const providers = (trx: Kysely<Database>) =>
    trx
      .selectFrom('providers')
      .where((where) => where.or([where('organization_id', 'is', null), where('organization_id', '=', organizationId)]));
  const visibleModels = (trx: Kysely<Database>) =>
    trx.selectFrom('models').where('provider_id', 'in', providers(trx).select('providers.id'));
  const models = (trx: Kysely<Database>, filter: ModelFilter) => {
    let query = visibleModels(trx).where('archived_at', 'is', null);
    if (filter.provider !== null) query = query.where(sql<boolean>`name like ${`${filter.provider.replace(/[\\%_]/g, '\\$&')}/%`}`);
    if (filter.search !== null) query = query.where('name', 'ilike', contains(filter.search));
    // An own price that is not ended, or a shared one.
    const priced = sql<boolean>`exists (select from (
      select distinct on (organization_id) price_version from model_prices
      where model_id = models.id and valid_from <= now() and (organization_id is null or organization_id = ${organizationId})
      order by organization_id, valid_from desc) as newest where price_version is not null)`;
    if (filter.isPriced !== null) query = query.where(filter.isPriced ? priced : sql<boolean>`not ${priced}`);
    return query;
  };

  return {
    ...createUpstreamReads(read, organizationId),
    ...createMemberReads(read, organizationId),
    ...createBudgetReads(read, organizationId),
    ...createAlertChannelReads(read, organizationId),
    ...createRateLimitReads(read, organizationId),
    ...createRateLimitStateReads(read, organizationId),
    organizationsById: (ids) =>
      readOrganizations(async (trx) => {
        let query = trx.selectFrom('organizations').selectAll().where('id', 'in', ids);
        if (!administers) query = query.where('id', '=', organizationId);
        return inOrderOf(ids, await query.execute(), (row) => row.id);
      }),
    organizationBySlug: (slug) =>
      readOrganizations(async (trx) => {
        let query = trx.selectFrom('organizations').selectAll().where('slug', '=', slug);
        if (!administers) query = query.where('id', '=', organizationId);
        return (await query.executeTakeFirst()) ?? null;
      }),
    organizations: async (page) => {
      if (!administers) throw notFound();
      return readOrganizations((trx) => readPage(trx.selectFrom('organizations').selectAll(), page, inCreationOrder));
    },
    teamsById: (ids) =>
      read(async (trx) => inOrderOf(ids, await teams(trx, true).selectAll().where('id', 'in', ids).execute(), (row) => row.id)),
    teams: (page, includeArchived) => read((trx) => readPage(teams(trx, includeArchived).selectAll(), page, inCreationOrder)),
    countTeams: (includeArchived, cap) =>
      read(
        async (trx) =>
          (
            await teams(trx, includeArchived)
              .select('id')
              .limit(cap + 1)
              .execute()
          ).length,
      ),
    apiKeysById: (ids) =>
      read(async (trx) => {
        const everyKey = apiKeys(trx, {
          teamId: null,
          serviceAccountId: null,
          userId: null,
          kind: null,
          isRotationDue: false,
          includeRevoked: true,
        });
        return inOrderOf(ids, await everyKey.selectAll().where('id', 'in', ids).execute(), (row) => row.id);
      }),
    apiKeys: (page, filter) => read((trx) => readPage(apiKeys(trx, filter).selectAll(), page, inCreationOrder)),
    countApiKeys: (filter, cap) =>
      read(
        async (trx) =>
          (
            await apiKeys(trx, filter)
              .select('id')
              .limit(cap + 1)
              .execute()
          ).length,
      ),
    secretsOfKeys: (apiKeyIds) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('api_key_secrets')
          .select(secretColumns)
          .where('api_key_id', 'in', apiKeyIds)
          // Row-level security says so as well.
          .where('api_key_id', 'in', (keys) => keys.selectFrom('api_keys').select('id').where('organization_id', '=', organizationId))
          .orderBy('created_at', 'desc')
          .orderBy('id', 'desc')
          .execute();
        return apiKeyIds.map((id) => rows.filter((row) => row.api_key_id === id).map((row, index) => ({ ...row, is_newest: index === 0 })));
      }),
    lastUsesOfKeys: (apiKeyIds) =>
      read(async (trx) => {
        const { rows } = await sql<{ readonly id: string; readonly last_used_at: Date | null }>`
          select id, coalesce(last_used_at, (
            select occurred_at from ledger_entries where api_key_id = api_keys.id and organization_id = ${organizationId} and kind = 'usage'
            order by occurred_at desc limit 1)) as last_used_at
          from api_keys where organization_id = ${organizationId} and id = any(${[...apiKeyIds]}::uuid[])`.execute(trx);
        return inOrderOf(apiKeyIds, rows, (row) => row.id).map((row) => row?.last_used_at ?? null);
      }),
    providersById: (ids) =>
      read(async (trx) => inOrderOf(ids, await providers(trx).select(providerColumns).where('id', 'in', ids).execute(), (row) => row.id)),
    providers: (page) => read((trx) => readPage(providers(trx).select(providerColumns).where('archived_at', 'is', null), page, byName)),
    modelsById: (ids) =>
      read(async (trx) => inOrderOf(ids, await visibleModels(trx).selectAll().where('id', 'in', ids).execute(), (row) => row.id)),
    models: (page, filter) => read((trx) => readPage(models(trx, filter).selectAll(), page, byName)),
    countModels: (filter, cap) =>
      read(
        async (trx) =>
          (
            await models(trx, filter)
              .select('id')
              .limit(cap + 1)
              .execute()
          ).length,
      ),
    pricesOfModels: (modelIds, at) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('model_prices')
          .innerJoin('price_versions', 'price_versions.name', 'model_prices.price_version')
          .select([
            'model_id',
            'model_prices.organization_id',
            'valid_from',
            'price_versions.name as price_version',
            'source',
            'model_prices.created_at',
            'sheet',
          ])
          .distinctOn('model_id')
          .where('model_id', 'in', modelIds)
          .where('valid_from', '<=', at)
          // Row-level security says so as well.
          .where((where) => where.or([where('organization_id', 'is', null), where('organization_id', '=', organizationId)]))
          // The newest of the organization's own wins, and where that one ends its price, the shared price holds again.
          .where((where) =>
            where.or([
              where('organization_id', 'is', null),
              where.not(
                where.exists(
                  where
                    .selectFrom('model_prices as later')
                    .select('later.model_id')
                    .whereRef('later.model_id', '=', 'model_prices.model_id')
                    .whereRef('later.organization_id', '=', 'model_prices.organization_id')
                    .whereRef('later.valid_from', '>', 'model_prices.valid_from')
                    .where('later.valid_from', '<=', at),
                ),
              ),
            ]),
          )
          .orderBy('model_id')
          .orderBy(sql`model_prices.organization_id is null`)
          .orderBy('valid_from', 'desc')
          .execute();
        return inOrderOf(modelIds, rows, (row) => row.model_id);
      }),
    activatedTags: () =>
      read((trx) =>
        trx.selectFrom('activated_tags').selectAll().where('organization_id', '=', organizationId).orderBy('tag_key').limit(100).execute(),
      ),
  };
}
