import type { Kysely, RawBuilder, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ApiKeyTable } from '../../schema/tables/api-key.table.ts';
import type { ApiKeySecretTable } from '../../schema/tables/api-key-secret.table.ts';
import type { Database } from '../../schema/tables/database.ts';
import type { BudgetDefinition } from '../../schema/values/budget.ts';
import { BUDGET_EXCEEDED_STATUSES } from '../../schema/values/budget-exceeded-status.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { publicPartOf } from '../../schema/values/virtual-key.ts';
import { knownKeys, outOfUseAt } from './known-keys.ts';
import type { KnownItems } from './read-changed.ts';
import { readChanged } from './read-changed.ts';
import { readOffer } from './read-offer.ts';
import type { Snapshot, SnapshotBudget, SnapshotKey } from './snapshot.ts';

/**
 * What was read last: a key or budget that has not changed since is the same object in the next snapshot, so that it is neither read nor made again, and
 * nothing of it is left to be collected while requests wait.
 */
export interface SnapshotMemory {
  readonly keys: KnownItems<SnapshotKey>;
  readonly budgets: KnownItems<SnapshotBudget>;
}

export function createSnapshotMemory(): SnapshotMemory {
  return { keys: { reads: 0, byId: new Map() }, budgets: { reads: 0, byId: new Map() } };
}

/** The registry's revision: one small indexed read, which proxies repeat four times a second. */
export async function readRevision(db: Kysely<Database>): Promise<string> {
  const row = await db.selectFrom('registry_revision').select('revision').executeTakeFirstOrThrow();
  return row.revision.toString();
}

/**
 * Everything a proxy needs, as of one instant: all statements run in one repeatable-read transaction, so keys, models and
 * revision belong together. Keys revoked or expired stay in for a day, so that they are refused by their own code.
 *
 * @param memory of the reads before, brought up to date by this one.
 */
export function readSnapshot(db: Kysely<Database>, memory: SnapshotMemory = createSnapshotMemory()): Promise<Snapshot> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const { revision, now } = await trx
        .selectFrom('registry_revision')
        .select(['revision', sql<Date>`now()`.as('now')])
        .executeTakeFirstOrThrow();
      const keys = await readKeys(trx, now, memory.keys);
      const dataKeys = await trx.selectFrom('data_keys').selectAll().execute();
      const credentials = await trx
        .selectFrom('provider_credentials')
        .selectAll()
        .where('archived_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const budgets = await readBudgets(trx, memory.budgets);
      const rateLimits = await trx
        .selectFrom('rate_limits')
        .select(['id', 'organization_id', 'definition'])
        .where('archived_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      const organizations = await trx
        .selectFrom('organizations')
        .select(['id', 'budget_exceeded_status'])
        .where('budget_exceeded_status', '<>', DEFAULT_STATUS)
        .orderBy('id')
        .execute();
      const offer = await readOffer(trx, null);
      return {
        revision: revision.toString(),
        readAtMs: now.getTime(),
        keys,
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
        budgets,
        rateLimits: rateLimits.map(({ id, organization_id, definition }) => ({
          id: idFromUuid('rateLimit', id),
          organizationId: idFromUuid('organization', organization_id),
          ...definition,
        })),
        organizations: organizations.map(({ id, budget_exceeded_status }) => ({
          id: idFromUuid('organization', id),
          budgetExceededStatus: budget_exceeded_status,
        })),
      };
    });
}

const [DEFAULT_STATUS] = BUDGET_EXCEEDED_STATUSES;

/** Every column is parsed ten thousand times where all keys changed: none that is not used. */
const KEY_COLUMNS = [
  'api_keys.id',
  'api_keys.organization_id',
  'api_keys.team_id',
  'api_keys.user_id',
  'api_keys.service_account_id',
  'api_keys.kind',
  'api_keys.environment',
  'api_keys.name',
  'api_keys.allowed_models',
  'api_keys.allowed_endpoints',
  'api_keys.allowed_cidrs',
  'api_keys.allowed_overrides',
  'api_keys.tags',
  'api_keys.expires_at',
  'api_keys.revoked_at',
] as const;

function readKeys(trx: Kysely<Database>, now: Date, known: KnownItems<SnapshotKey>): Promise<readonly SnapshotKey[]> {
  const keysNow = knownKeys(trx, now);
  const secretsOfKey = sql`(select string_agg(secret::text, ' ' order by id) from api_key_secrets as secret where api_key_id = api_keys.id)`;
  return readChanged({
    trx,
    digests: keysNow.clearSelect().select(['api_keys.id', digestOf(sql`api_keys, ${outOfUseAt}, ${secretsOfKey}`)]),
    known,
    read: async (ids) => {
      const keys = await keysNow
        .clearSelect()
        .select(KEY_COLUMNS)
        .select(outOfUseAt.as('out_of_use_at'))
        .where(sql<boolean>`api_keys.id = any(${ids}::uuid[])`)
        .execute();
      const secrets = await trx
        .selectFrom('api_key_secrets')
        .select(['api_key_id', 'hash', 'display', 'expires_at', 'revoked_at'])
        .where(sql<boolean>`api_key_id = any(${ids}::uuid[])`)
        .orderBy('id')
        .execute();
      const secretsOf = Map.groupBy(secrets, (secret) => secret.api_key_id);
      return new Map(keys.map((key) => [key.id, snapshotKey(key, key.out_of_use_at, secretsOf.get(key.id) ?? [])]));
    },
  });
}

function readBudgets(trx: Kysely<Database>, known: KnownItems<SnapshotBudget>): Promise<readonly SnapshotBudget[]> {
  const budgets = trx.selectFrom('budgets').where('archived_at', 'is', null);
  return readChanged({
    trx,
    digests: budgets
      .select(['id', digestOf(sql`budgets`)])
      .orderBy('created_at')
      .orderBy('id'),
    known,
    read: async (ids) => {
      const rows = await budgets.select(['id', 'organization_id', 'definition']).where(sql<boolean>`id = any(${ids}::uuid[])`).execute();
      return new Map(rows.map(({ id, organization_id, definition }) => [id, snapshotBudget(id, organization_id, definition)]));
    },
  });
}

/** SHA-256 of these values as the database prints them in a row. */
function digestOf(values: RawBuilder<unknown>) {
  return sql<string>`encode(sha256(convert_to(row(${values})::text, 'UTF8')), 'base64')`.as('digest');
}

function snapshotBudget(id: string, organizationId: string, definition: BudgetDefinition): SnapshotBudget {
  return { id: idFromUuid('budget', id), organizationId: idFromUuid('organization', organizationId), ...definition };
}

type SecretRow = Pick<Selectable<ApiKeySecretTable>, 'hash' | 'display' | 'expires_at' | 'revoked_at'>;

type KeyRow = Pick<
  Selectable<ApiKeyTable>,
  | 'id'
  | 'organization_id'
  | 'team_id'
  | 'user_id'
  | 'service_account_id'
  | 'kind'
  | 'environment'
  | 'name'
  | 'allowed_models'
  | 'allowed_endpoints'
  | 'allowed_cidrs'
  | 'allowed_overrides'
  | 'tags'
  | 'expires_at'
  | 'revoked_at'
>;

function snapshotKey(key: KeyRow, outOfUseAt: Date | null, secrets: readonly SecretRow[]): SnapshotKey {
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
