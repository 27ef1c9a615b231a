import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';

/** How long a dead key stays known, so that it is refused by its own code. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Since when a key cannot be used for a while, or its owner: it works only as long as whoever owns it does. */
export const outOfUseAt = sql<Date | null>`coalesce(api_keys.disabled_at, service_accounts.disabled_at, service_accounts.archived_at, users.archived_at)`;

/** The keys that proxies know, with since when each is out of use. Admin keys are none of theirs. @param now by the database's clock. */
export function knownKeys(trx: Kysely<Database>, now: Date) {
  const recently = new Date(now.getTime() - REMEMBERED_MS);
  return trx
    .selectFrom('api_keys')
    .leftJoin('service_accounts', 'service_accounts.id', 'api_keys.service_account_id')
    .leftJoin('users', 'users.id', 'api_keys.user_id')
    .selectAll('api_keys')
    .select(outOfUseAt.as('out_of_use_at'))
    .where('kind', '!=', 'adm')
    .where((where) => where.or([where('revoked_at', 'is', null), where('revoked_at', '>', recently)]))
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', recently)]));
}
