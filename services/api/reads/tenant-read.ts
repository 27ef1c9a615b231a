import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';

/** Runs queries of one organization, in a transaction of their own. */
export type TenantRead = <Result>(query: (trx: Transaction<Database>) => Promise<Result>) => Promise<Result>;

/**
 * Reads as the role that row-level security binds: the transaction names the organization, and sees no other's rows even where
 * a query forgets to ask. Nothing is asked any more once `signal` is aborted.
 * @param db a connection in role `reader`.
 */
export function createTenantRead(db: Kysely<Database>, organizationId: string, signal: AbortSignal): TenantRead {
  return async (query) => {
    signal.throwIfAborted();
    return db
      .transaction()
      .setAccessMode('read only')
      .execute(async (trx) => {
        await sql`select set_config('turnpike.organization_id', ${organizationId}, true)`.execute(trx);
        signal.throwIfAborted();
        return query(trx);
      });
  };
}
