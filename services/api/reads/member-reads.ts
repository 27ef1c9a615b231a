import type { Kysely } from 'kysely';
import type { MemberReads } from '../../../schema/graphql/ports/upstream-reads.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of one organization's service accounts and users. */
export function createMemberReads(read: TenantRead, organizationId: string): MemberReads {
  const serviceAccounts = (trx: Kysely<Database>) =>
    trx.selectFrom('service_accounts').selectAll().where('organization_id', '=', organizationId);
  const users = (trx: Kysely<Database>) => trx.selectFrom('users').selectAll().where('organization_id', '=', organizationId);

  return {
    serviceAccountsById: (ids) =>
      read(async (trx) => inOrderOf(ids, await serviceAccounts(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    serviceAccounts: (page, { includeArchived }) =>
      read((trx) =>
        readPage(includeArchived ? serviceAccounts(trx) : serviceAccounts(trx).where('archived_at', 'is', null), page, inCreationOrder),
      ),
    usersById: (ids) => read(async (trx) => inOrderOf(ids, await users(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    users: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? users(trx) : users(trx).where('archived_at', 'is', null), page, inCreationOrder)),
  };
}
