import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { mintUuid } from '../../schema/values/ids.ts';
import { createBudget } from '../../services/registry/budgets.ts';
import { systemRandom } from '../../services/runtime/random.ts';
import { changeOf } from './registry.ts';

const uuid = () => mintUuid(Date.now(), systemRandom.bytes(10));

/** A budget of 100 USD a month; returns its uuid. */
export async function makeBudget(db: Kysely<Database>, organizationId: string, name: string): Promise<string> {
  const month = { kind: 'month', zone: 'UTC', anchor: '2001-01-01T00:00:00' } as const;
  const { budget } = await changeOf(db, organizationId, (change) =>
    createBudget(change, {
      name,
      selector: [],
      groupBy: [],
      limits: [{ unit: 'usd', amount: '100000000000000', window: month }],
      thresholds: ['80'],
      enforcement: 'notify',
      downgradeTo: null,
      onUnpricedModel: 'block',
      fallbackPrice: null,
    }),
  );
  return budget.id;
}

/** Has a budget come to 80 percent of its limit, as the ledger tells it; returns the uuid of the alert. */
export async function raiseAlert(db: Kysely<Database>, organizationId: string, budgetId: string): Promise<string> {
  const id = uuid();
  await db
    .insertInto('budget_alerts')
    .values({
      id,
      organization_id: organizationId,
      budget_id: budgetId,
      limit_id: uuid(),
      counter_id: uuid(),
      kind: 'threshold',
      threshold_basis_points: 8_000,
      occurrence: 1,
      group_key: '',
      window_key: '2026-11',
      starts_at: new Date('2026-11-01T00:00:00Z'),
      ends_at: new Date('2026-12-01T00:00:00Z'),
      unit: 'usd',
      amount: 100_000_000_000_000n,
      settled: 80_000_000_000_001n,
      held: 0n,
      projected_exhaustion_at: null,
      created_at: new Date('2026-11-21T20:00:00Z'),
    })
    .execute();
  return id;
}
