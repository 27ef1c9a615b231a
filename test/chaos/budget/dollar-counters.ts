import type { BudgetWorld, OneDollar } from './budget-world.ts';

/** Every counter of a dollar's budgets, as the database has it. */
export function countersOf({ database }: BudgetWorld, { budgetIds }: OneDollar) {
  return database.db
    .selectFrom('counter_states')
    .select(['id', 'limit_id', 'unit', 'amount', 'settled', 'held', 'lost', 'overrun'])
    .where('budget_id', 'in', budgetIds)
    .execute();
}

/** The one that is used up. @throws Error where nothing was leased of it yet. */
export async function dollarOf(world: BudgetWorld, dollar: OneDollar) {
  const found = (await countersOf(world, dollar)).find(({ limit_id }) => limit_id === dollar.limitId);
  if (found === undefined) throw new Error('nothing was leased yet');
  return found;
}
