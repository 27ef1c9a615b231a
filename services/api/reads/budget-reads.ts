import type { Kysely } from 'kysely';
import type { BudgetReads } from '../../../schema/graphql/ports/budgets.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inCreationOrder, inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

/** Reads of one organization's budgets and their alerts. */
export function createBudgetReads(read: TenantRead, organizationId: string): BudgetReads {
  const budgets = (trx: Kysely<Database>) => trx.selectFrom('budgets').selectAll().where('organization_id', '=', organizationId);
  const alerts = (trx: Kysely<Database>) => trx.selectFrom('budget_alerts').selectAll().where('organization_id', '=', organizationId);
  return {
    budgetsById: (ids) => read(async (trx) => inOrderOf(ids, await budgets(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    budgets: (page, { includeArchived }) =>
      read((trx) => readPage(includeArchived ? budgets(trx) : budgets(trx).where('archived_at', 'is', null), page, inCreationOrder)),
    alertsById: (ids) => read(async (trx) => inOrderOf(ids, await alerts(trx).where('id', 'in', ids).execute(), (row) => row.id)),
    budgetAlerts: (page, { budgetId }) =>
      read((trx) =>
        readPage(budgetId === null ? alerts(trx) : alerts(trx).where('budget_id', '=', budgetId), page, {
          column: { name: 'created_at', type: 'instant' },
          id: 'id',
          descending: true,
        }),
      ),
  };
}
