import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { KeyKind } from '../../schema/values/virtual-key.ts';
import { parseVirtualKey } from '../../schema/values/virtual-key.ts';
import type { Secrets } from '../runtime/secrets.ts';

/** Who a presented key is, by the registry. All ids are uuids. The refusals differ so that each can be said exactly. */
export type PrincipalLookup =
  | {
      readonly kind: 'known';
      readonly apiKeyId: string;
      readonly organizationId: string;
      readonly name: string;
      readonly keyKind: KeyKind;
      readonly permissions: readonly string[];
      readonly expiresAt: Date | null;
      readonly allowedCidrs: readonly string[] | null;
    }
  | { readonly kind: 'unknown' | 'expired' | 'revoked' | 'disabled' };

/** Looks a presented key up by its HMAC. A malformed key costs no query. */
export async function findPrincipal(db: Kysely<Database>, presented: string, secrets: Secrets, nowMs: number): Promise<PrincipalLookup> {
  if (parseVirtualKey(presented) === null) return { kind: 'unknown' };
  const row = await db
    .selectFrom('api_key_secrets')
    .innerJoin('api_keys', 'api_keys.id', 'api_key_secrets.api_key_id')
    .leftJoin('service_accounts', 'service_accounts.id', 'api_keys.service_account_id')
    .leftJoin('users', 'users.id', 'api_keys.user_id')
    .select([
      'service_accounts.disabled_at as account_disabled_at',
      'service_accounts.archived_at as account_archived_at',
      'users.archived_at as user_archived_at',
      'api_keys.id',
      'api_keys.organization_id',
      'api_keys.name',
      'api_keys.kind',
      'api_keys.permissions',
      'api_keys.expires_at',
      'api_keys.allowed_cidrs',
      'api_keys.disabled_at',
      'api_keys.revoked_at',
      'api_key_secrets.expires_at as secret_expires_at',
      'api_key_secrets.revoked_at as secret_revoked_at',
    ])
    .where('api_key_secrets.hash', '=', secrets.hashKey(presented))
    .executeTakeFirst();
  if (row === undefined) return { kind: 'unknown' };
  const past = (instant: Date | null): boolean => instant !== null && instant.getTime() <= nowMs;
  if (row.revoked_at !== null || row.secret_revoked_at !== null) return { kind: 'revoked' };
  if (past(row.expires_at) || past(row.secret_expires_at)) return { kind: 'expired' };
  // A key works only as long as whoever owns it does.
  if ((row.disabled_at ?? row.account_disabled_at ?? row.account_archived_at ?? row.user_archived_at) !== null) return { kind: 'disabled' };
  return {
    kind: 'known',
    apiKeyId: row.id,
    organizationId: row.organization_id,
    name: row.name,
    keyKind: row.kind,
    permissions: row.permissions,
    expiresAt: row.expires_at,
    allowedCidrs: row.allowed_cidrs,
  };
}
