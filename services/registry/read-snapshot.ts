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
        .selectAll()
        .where('kind', '!=', 'adm')
        .where((where) => where.or([where('revoked_at', 'is', null), where('revoked_at', '>', recently)]))
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', recently)]))
        .execute();
      const secrets = await trx.selectFrom('api_key_secrets').selectAll().execute();
      const providers = await trx
        .selectFrom('providers')
        .selectAll()
        .where('archived_at', 'is', null)
        .where('organization_id', 'is', null)
        .orderBy('name')
        .execute();
      const models = await trx
        .selectFrom('models')
        .innerJoin('providers', 'providers.id', 'models.provider_id')
        .selectAll('models')
        .select('providers.name as provider_name')
        .where('models.archived_at', 'is', null)
        .where('providers.organization_id', 'is', null)
        .where('providers.archived_at', 'is', null)
        .orderBy('models.name')
        .execute();
      const prices = await trx
        .selectFrom('model_prices')
        .innerJoin('price_versions', 'price_versions.name', 'model_prices.price_version')
        .select(['model_id', 'valid_from', 'price_versions.name as price_version', 'sheet'])
        .where('organization_id', 'is', null)
        .orderBy('model_id')
        .orderBy('valid_from')
        .execute();
      const pricesOf = Map.groupBy(prices, (price) => price.model_id);
      const secretsOf = Map.groupBy(secrets, (secret) => secret.api_key_id);
      return {
        revision: revision.toString(),
        readAtMs: now.getTime(),
        keys: keys.map((key) => snapshotKey(key, secretsOf.get(key.id) ?? [])),
        providers: providers.map((provider) => ({
          id: idFromUuid('provider', provider.id),
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
            upstreamModel: model.upstream_model,
            createdAt: model.created_at.getTime(),
            contextWindow: model.context_window === null ? null : Number(model.context_window),
            maxOutputTokens: model.max_output_tokens === null ? null : Number(model.max_output_tokens),
            prices: (pricesOf.get(model.id) ?? []).map((price) => ({
              validFrom: price.valid_from.getTime(),
              priceVersion: price.price_version,
              sheet: price.sheet,
            })),
          }),
        ),
      };
    });
}

function snapshotKey(key: Selectable<ApiKeyTable>, secrets: readonly Selectable<ApiKeySecretTable>[]): SnapshotKey {
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
    disabledAt: key.disabled_at?.getTime() ?? null,
    revokedAt: key.revoked_at?.getTime() ?? null,
    secrets: secrets.map((secret) => ({
      hash: secret.hash.toString('base64url'),
      expiresAt: secret.expires_at?.getTime() ?? null,
      revokedAt: secret.revoked_at?.getTime() ?? null,
    })),
  };
}
