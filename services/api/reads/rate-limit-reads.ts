import type { Kysely } from 'kysely';
import type { RateLimitReads } from '../../../schema/graphql/ports/rate-limits.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of one organization's rate limits. */
export function createRateLimitReads(read: TenantRead, organizationId: string): RateLimitReads {
  const rateLimits = (trx: Kysely<Database>) => trx.selectFrom('rate_limits').selectAll().where('organization_id', '=', organizationId);
  return {
    rateLimitsById: (ids) => read(async (trx) => inOrderOf(ids, await rateLimits(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    rateLimits: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? rateLimits(trx) : rateLimits(trx).where('archived_at', 'is', null), page, inCreationOrder)),
  };
}
