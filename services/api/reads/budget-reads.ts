import type { Kysely } from 'kysely';
import type { BudgetReads } from '../../../schema/graphql/ports/budgets.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of one organization's budgets. */
export function createBudgetReads(read: TenantRead, organizationId: string): BudgetReads {
  const budgets = (trx: Kysely<Database>) => trx.selectFrom('budgets').selectAll().where('organization_id', '=', organizationId);
  return {
    budgetsById: (ids) => read(async (trx) => inOrderOf(ids, await budgets(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    budgets: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? budgets(trx) : budgets(trx).where('archived_at', 'is', null), page, inCreationOrder)),
  };
}
