import type { Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ApiKeyTable } from '../../schema/tables/api-key.table.ts';
import type { ApiKeySecretTable } from '../../schema/tables/api-key-secret.table.ts';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { publicPartOf } from '../../schema/values/virtual-key.ts';
import { knownKeys } from './known-keys.ts';
import { readOffer } from './read-offer.ts';
import type { Snapshot, SnapshotKey } from './snapshot.ts';

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
      const keys = await knownKeys(trx, now).execute();
      const secrets = await trx.selectFrom('api_key_secrets').selectAll().execute();
      const dataKeys = await trx.selectFrom('data_keys').selectAll().execute();
      const credentials = await trx
        .selectFrom('provider_credentials')
        .selectAll()
        .where('archived_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const budgets = await trx
        .selectFrom('budgets')
        .select(['id', 'organization_id', 'definition'])
        .where('archived_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const offer = await readOffer(trx, null);
      const secretsOf = Map.groupBy(secrets, (secret) => secret.api_key_id);
      return {
        revision: revision.toString(),
        readAtMs: now.getTime(),
        keys: keys.map((key) => snapshotKey(key, key.out_of_use_at, secretsOf.get(key.id) ?? [])),
        ...offer,
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
        budgets: budgets.map(({ id, organization_id, definition: { thresholds: _, ...definition } }) => ({
          id: idFromUuid('budget', id),
          organizationId: idFromUuid('organization', organization_id),
          ...definition,
        })),
      };
    });
}

function snapshotKey(
  key: Selectable<ApiKeyTable>,
  outOfUseAt: Date | null,
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
    allowedEndpoints: key.allowed_endpoints,
    allowedCidrs: key.allowed_cidrs,
    allowedOverrides: key.allowed_overrides,
    tags: key.tags,
    expiresAt: key.expires_at?.getTime() ?? null,
    disabledAt: outOfUseAt?.getTime() ?? null,
    revokedAt: key.revoked_at?.getTime() ?? null,
    secrets: secrets.map((secret) => ({
      hash: secret.hash.toString('base64url'),
      publicPart: publicPartOf(secret.display),
      expiresAt: secret.expires_at?.getTime() ?? null,
      revokedAt: secret.revoked_at?.getTime() ?? null,
    })),
  };
}
