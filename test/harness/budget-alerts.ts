import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import type { BudgetAlertTable } from '../../schema/tables/budget-alert.table.ts';
import type { Database } from '../../schema/tables/database.ts';

/** Adds an alert of a budget (uuid) for one group, as the ledger tells it; `changes` replace columns. @returns its uuid. */
export async function addAlert(
  db: Kysely<Database>,
  organizationId: string,
  of: { readonly budgetId: string; readonly group: string },
  changes: Partial<Insertable<BudgetAlertTable>> = {},
): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('budget_alerts')
    .values({
      id,
      organization_id: organizationId,
      budget_id: of.budgetId,
      limit_id: randomUUID(),
      counter_id: randomUUID(),
      kind: 'threshold',
      threshold_basis_points: 8_050,
      occurrence: 1,
      group_key: JSON.stringify([of.group]),
      window_key: '0:month:2026-10-31T23:00:00Z',
      starts_at: new Date('2026-10-31T23:00:00Z'),
      ends_at: new Date('2026-11-30T23:00:00Z'),
      unit: 'usd',
      amount: 10n ** 13n,
      settled: 9n * 10n ** 12n,
      held: 25n * 10n ** 10n,
      projected_exhaustion_at: new Date('2026-11-25T00:00:00Z'),
      created_at: new Date(),
      ...changes,
    })
    .execute();
  return id;
}
