import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { ApiKey } from './api-keys.ts';
import { createApiKey, replaceSecret } from './api-keys.ts';
import type { Change } from './change.ts';
import { differences, RegistryError, recordChange } from './change.ts';
import { nextVersion } from './own-rows.ts';
import { ROOT_PERMISSIONS } from './root-permissions.ts';

export interface BreakGlassOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  /** Who does it, as the operating system knows them; stands in the audit log. */
  readonly operator: string;
  /** Why; stands in the audit log. */
  readonly reason: string;
  /** uuid of the admin key to recover; null = the oldest that administers the installation. */
  readonly keyId: string | null;
}

export interface BrokenGlass {
  readonly key: ApiKey;
  /** In plaintext, for the one moment in which it can be told. */
  readonly secret: string;
  /** Slug of the organization it belongs to. */
  readonly organization: string;
  /** False where none was left to recover, and it was made. */
  readonly recovered: boolean;
}

/**
 * Gives an admin key a new secret for whoever has the database and the master key and has lost every way in: its old secrets end at
 * once, and so does what keeps it out (it is disabled, its time is up, it is bound to addresses). What it may do stays as it was.
 * Where no key is named and none is left that administers the installation, one is made. One transaction, with its audit events.
 * @throws RegistryError `not_found` (no such admin key, no organization), `already_revoked`, `invalid` (its owner is archived).
 */
export function breakGlass(db: Kysely<Database>, options: BreakGlassOptions): Promise<BrokenGlass> {
  return db.transaction().execute(async (trx) => {
    const kept = options.keyId === null ? await oldestRootKey(trx) : await namedKey(trx, options.keyId);
    const organization = await organizationOf(trx, kept);
    const change: Change = {
      trx,
      organizationId: organization.id,
      actor: { kind: 'system', id: 'break-glass', name: `turnpike break-glass by ${options.operator}` },
      origin: { requestId: null, address: null, userAgent: null },
      clock: options.clock,
      random: options.random,
    };
    if (kept !== undefined) {
      const secret = await replaceSecret(change, kept, options.secrets);
      return { key: await openKey(change, kept, options.reason), secret, organization: organization.slug, recovered: true };
    }
    const { key, secret } = await createApiKey(
      change,
      {
        name: 'Break glass',
        kind: 'adm',
        environment: 'live',
        permissions: ROOT_PERMISSIONS,
        teamId: null,
        allowedModels: null,
        tags: {},
        metadata: {},
        expiresAt: null,
      },
      options.secrets,
    );
    await record(change, key, { reason: options.reason });
    return { key, secret, organization: organization.slug, recovered: false };
  });
}

const adminKeys = (trx: Transaction<Database>) => trx.selectFrom('api_keys').selectAll().where('kind', '=', 'adm').forUpdate();

function oldestRootKey(trx: Transaction<Database>): Promise<ApiKey | undefined> {
  return adminKeys(trx)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`permissions @> ${[...ROOT_PERMISSIONS]}::text[]`)
    .where(sql<boolean>`not exists (select from users where users.id = user_id and archived_at is not null)`)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

async function namedKey(trx: Transaction<Database>, id: string): Promise<ApiKey> {
  const key = await adminKeys(trx).where('id', '=', id).executeTakeFirst();
  if (key === undefined) throw new RegistryError('not_found', 'There is no such admin key.');
  if (key.revoked_at !== null) throw new RegistryError('already_revoked', 'This admin key is revoked, which is for good.');
  if (key.user_id !== null) {
    const owner = await trx.selectFrom('users').select('archived_at').where('id', '=', key.user_id).executeTakeFirst();
    if (owner?.archived_at != null) throw new RegistryError('invalid', 'The person who owns this admin key is archived.');
  }
  return key;
}

/** The key's own; where there is no key, the installation's first. */
async function organizationOf(trx: Transaction<Database>, key: ApiKey | undefined): Promise<{ id: string; slug: string }> {
  const all = trx.selectFrom('organizations').select(['id', 'slug']).orderBy('created_at').orderBy('id').limit(1);
  const organization = await (key === undefined ? all : all.where('id', '=', key.organization_id)).executeTakeFirst();
  if (organization === undefined) throw new RegistryError('not_found', 'There is no organization yet: turnpike bootstrap makes the first.');
  return organization;
}

async function openKey(change: Change, kept: ApiKey, reason: string): Promise<ApiKey> {
  const now = change.clock.now();
  const isOver = kept.expires_at !== null && kept.expires_at.getTime() <= now;
  const after = { disabled_at: null, expires_at: isOver ? null : kept.expires_at, allowed_cidrs: null };
  const key = await change.trx
    .updateTable('api_keys')
    .set({ ...after, ...nextVersion(change, kept) })
    .where('id', '=', kept.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await record(change, key, { ...after, reason }, kept);
  return key;
}

function record(change: Change, key: ApiKey, after: Readonly<Record<string, unknown>>, before: object = {}): Promise<string> {
  return recordChange(change, {
    action: 'api_key.break_glass',
    targets: [{ type: 'api_key', id: idFromUuid('apiKey', key.id), name: key.name }],
    changes: differences({ ...before }, after),
  });
}
