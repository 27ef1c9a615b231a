import type { Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ApiKeyTable } from '../../schema/tables/api-key.table.ts';
import type { ApiKeySecretTable } from '../../schema/tables/api-key-secret.table.ts';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { ProviderOptions, Snapshot, SnapshotKey, SnapshotModel } from './snapshot.ts';

/** The registry's revision: one small indexed read, which proxies repeat four times a second. */
export async function readRevision(db: Kysely<Database>): Promise<string> {
  const row = await db.selectFrom('registry_revision').select('revision').executeTakeFirstOrThrow();
  return row.revision.toString();
}

/**
 * Everything a proxy needs, as of one instant: all statements run in one repeatable-read transaction, so keys, models and
 * revision belong together. Keys revoked or expired stay in for a day, so that they are refused by their own code.
 */
export function readSnapshot(db: Kysely<Database>): Promise<Snapshot> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const { revision, now } = await trx
        .selectFrom('registry_revision')
        .select(['revision', sql<Date>`now()`.as('now')])
        .executeTakeFirstOrThrow();
      const recently = new Date(now.getTime() - 24 * 3_600_000);
      const keys = await trx
        .selectFrom('api_keys')
        .leftJoin('service_accounts', 'service_accounts.id', 'api_keys.service_account_id')
        .leftJoin('users', 'users.id', 'api_keys.user_id')
        .selectAll('api_keys')
        // A key works only as long as whoever owns it does.
        .select(
          sql<Date | null>`coalesce(service_accounts.disabled_at, service_accounts.archived_at, users.archived_at)`.as('owner_disabled_at'),
        )
        .where('kind', '!=', 'adm')
        .where((where) => where.or([where('revoked_at', 'is', null), where('revoked_at', '>', recently)]))
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', recently)]))
        .execute();
      const secrets = await trx.selectFrom('api_key_secrets').selectAll().execute();
      const providers = await trx.selectFrom('providers').selectAll().where('archived_at', 'is', null).orderBy('name').execute();
      const models = await trx
        .selectFrom('models')
        .innerJoin('providers', 'providers.id', 'models.provider_id')
        .selectAll('models')
        .select(['providers.name as provider_name', 'providers.organization_id'])
        .where('models.archived_at', 'is', null)
        .where('providers.archived_at', 'is', null)
        .orderBy('models.name')
        .execute();
      const prices = await trx
        .selectFrom('model_prices')
        .leftJoin('price_versions', 'price_versions.name', 'model_prices.price_version')
        .select(['model_id', 'organization_id', 'valid_from', 'price_version', 'sheet'])
        .orderBy('model_id')
        .orderBy('valid_from')
        .execute();
      const dataKeys = await trx.selectFrom('data_keys').selectAll().execute();
      const credentials = await trx
        .selectFrom('provider_credentials')
        .selectAll()
        .where('archived_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const routes = await trx.selectFrom('routes').selectAll().where('archived_at', 'is', null).orderBy('name').execute();
      const targets = await trx
        .selectFrom('route_targets')
        .innerJoin('routes', 'routes.id', 'route_targets.route_id')
        .selectAll('route_targets')
        .where('routes.archived_at', 'is', null)
        .orderBy('route_id')
        .orderBy('position')
        .execute();
      const pricesOf = Map.groupBy(prices, (price) => price.model_id);
      const secretsOf = Map.groupBy(secrets, (secret) => secret.api_key_id);
      const targetsOf = Map.groupBy(targets, (target) => target.route_id);
      return {
        revision: revision.toString(),
        readAtMs: now.getTime(),
        keys: keys.map((key) => snapshotKey(key, key.owner_disabled_at, secretsOf.get(key.id) ?? [])),
        providers: providers.map((provider) => ({
          id: idFromUuid('provider', provider.id),
          organizationId: organizationId(provider.organization_id),
          name: provider.name,
          protocol: provider.protocol,
          baseUrl: provider.base_url,
          credential: provider.credential,
          // Written by registry code from checked configuration only.
          options: provider.options as ProviderOptions,
        })),
        models: models.map(
          (model): SnapshotModel => ({
            id: idFromUuid('model', model.id),
            name: model.name,
            providerName: model.provider_name,
            organizationId: organizationId(model.organization_id),
            upstreamModel: model.upstream_model,
            createdAt: model.created_at.getTime(),
            contextWindow: model.context_window === null ? null : Number(model.context_window),
            maxOutputTokens: model.max_output_tokens === null ? null : Number(model.max_output_tokens),
            ...snapshotPrices(pricesOf.get(model.id) ?? []),
          }),
        ),
        dataKeys: dataKeys.map((key) => ({
          id: key.id,
          organizationId: idFromUuid('organization', key.organization_id),
          sealed: key.sealed.toString('base64url'),
        })),
        credentials: credentials.map((credential) => ({
          id: idFromUuid('providerCredential', credential.id),
          organizationId: idFromUuid('organization', credential.organization_id),
          providerId: idFromUuid('provider', credential.provider_id),
          dataKeyId: credential.data_key_id,
          sealed: credential.sealed.toString('base64url'),
        })),
        routes: routes.map((route) => ({
          id: idFromUuid('route', route.id),
          organizationId: idFromUuid('organization', route.organization_id),
          name: route.name,
          strategy: route.strategy,
          createdAt: route.created_at.getTime(),
          targets: (targetsOf.get(route.id) ?? []).map((target) => ({
            modelId: idFromUuid('model', target.model_id),
            weight: target.weight,
            credentialId: target.credential_id === null ? null : idFromUuid('providerCredential', target.credential_id),
          })),
        })),
      };
    });
}

function organizationId(uuid: string | null): string | null {
  return uuid === null ? null : idFromUuid('organization', uuid);
}

interface PriceRow {
  readonly organization_id: string | null;
  readonly valid_from: Date;
  readonly price_version: string | null;
  readonly sheet: unknown;
}

/** Prices by time: those that hold for everybody, and those of single organizations. */
function snapshotPrices(rows: readonly PriceRow[]): Pick<SnapshotModel, 'prices' | 'ownPrices'> {
  const prices: SnapshotModel['prices'][number][] = [];
  const ownPrices: SnapshotModel['ownPrices'][number][] = [];
  for (const row of rows) {
    const { price_version: priceVersion, sheet } = row;
    const validFrom = row.valid_from.getTime();
    if (row.organization_id !== null) {
      ownPrices.push({ organizationId: idFromUuid('organization', row.organization_id), validFrom, priceVersion, sheet });
    } else if (priceVersion !== null) prices.push({ validFrom, priceVersion, sheet });
  }
  return { prices, ownPrices };
}

function snapshotKey(
  key: Selectable<ApiKeyTable>,
  ownerDisabledAt: Date | null,
  secrets: readonly Selectable<ApiKeySecretTable>[],
): SnapshotKey {
  return {
    id: idFromUuid('apiKey', key.id),
    organizationId: idFromUuid('organization', key.organization_id),
    teamId: key.team_id === null ? null : idFromUuid('team', key.team_id),
    userId: key.user_id === null ? null : idFromUuid('user', key.user_id),
    serviceAccountId: key.service_account_id === null ? null : idFromUuid('serviceAccount', key.service_account_id),
    kind: key.kind,
    environment: key.environment,
    name: key.name,
    allowedModels: key.allowed_models,
    tags: key.tags,
    expiresAt: key.expires_at?.getTime() ?? null,
    disabledAt: (key.disabled_at ?? ownerDisabledAt)?.getTime() ?? null,
    revokedAt: key.revoked_at?.getTime() ?? null,
    secrets: secrets.map((secret) => ({
      hash: secret.hash.toString('base64url'),
      expiresAt: secret.expires_at?.getTime() ?? null,
      revokedAt: secret.revoked_at?.getTime() ?? null,
    })),
  };
}
