import type { Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { BudgetTable } from '../../schema/tables/budget.table.ts';
import type { BudgetDefinition, BudgetUnit } from '../../schema/values/budget.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { GivenBudget } from './budget-definition.ts';
import { defineBudget, LARGEST_AMOUNT } from './budget-definition.ts';
import { writeBudgetLimits } from './budget-limits.ts';
import type { GivenRaise } from './budget-raises.ts';
import { raiseLimit } from './budget-raises.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion } from './own-rows.ts';

export type Budget = Selectable<BudgetTable>;

/**
 * Writes down what an organization wants of a budget: its limits for leasing, and the rest for the proxies' next snapshot.
 * @throws RegistryError `invalid`, `not_found` (whom the selector names), `name_taken`.
 */
export async function createBudget(
  change: Change,
  input: { readonly name: string } & GivenBudget,
): Promise<{ budget: Budget; auditEventId: string }> {
  const { name, ...given } = input;
  const definition = await defineBudget(change, given, null);
  const now = new Date(change.clock.now());
  const budget = await change.trx
    .insertInto('budgets')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name,
      definition: JSON.stringify(definition),
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken('Another budget has this name.'));
  await writeBudgetLimits(change, budget.id, definition.limits);
  return { budget, auditEventId: await recordBudget(change, 'budget.create', budget, {}, { ...known(budget) }) };
}

/** What is left out stays as it is. @throws RegistryError as {@link createBudget}; `version_conflict`, `archived`. */
export async function updateBudget(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name?: string } & Partial<GivenBudget>,
): Promise<{ budget: Budget; auditEventId: string }> {
  const { id, expectedVersion, name, ...given } = input;
  const before = await lockBudget(change, { id, expectedVersion });
  const definition = await defineBudget(change, { ...before.definition, ...given }, before.definition);
  const budget = await write(change, before, { name: name ?? before.name, definition: JSON.stringify(definition) });
  await writeBudgetLimits(change, budget.id, definition.limits);
  const auditEventId = await recordBudget(change, 'budget.update', budget, known(before), { ...known(budget) });
  return { budget, auditEventId };
}

/** Takes a budget out of use. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveBudget(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ budget: Budget; auditEventId: string }> {
  const before = await lockBudget(change, input);
  const after = { archived_at: new Date(change.clock.now()) };
  const budget = await write(change, before, after);
  await writeBudgetLimits(change, budget.id, []);
  return { budget, auditEventId: await recordBudget(change, 'budget.archive', budget, { archived_at: null }, after) };
}

/**
 * Everything of the budget counts from zero again, in every window. What was counted before stays, and what is in flight settles there.
 * @param input.reason stands in the audit log. @throws RegistryError as {@link archiveBudget}.
 */
export async function resetBudget(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly reason: string },
): Promise<{ budget: Budget; auditEventId: string }> {
  const before = await lockBudget(change, input);
  const budget = await write(change, before, {});
  await sql`select lease_reset(${before.definition.limits.map(({ id }) => id)}::uuid[])`.execute(change.trx);
  return { budget, auditEventId: await recordBudget(change, 'budget.reset', budget, {}, { resetReason: input.reason }) };
}

/** Raises one limit for a time. @param input.reason stands in the audit log. @throws RegistryError as {@link archiveBudget}; `invalid`. */
export async function raiseBudget(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly reason: string } & GivenRaise,
): Promise<{ budget: Budget; auditEventId: string }> {
  const locked = await lockBudget(change, input);
  const { before, after } = await raiseLimit(change, locked.definition, input);
  const budget = await write(change, locked, {});
  const { unit, window, reason } = input;
  const auditEventId = await recordBudget(
    change,
    'budget.raise',
    budget,
    { raise: before },
    { raise: after, unit, window, raiseReason: reason },
  );
  return { budget, auditEventId };
}

/**
 * Adds to a limit that counts for ever, for good. No version is expected: two of them at once add up in either order, and the caller's key keeps one from
 * being added twice.
 * @param input.by in the unit, as decimal text. @param input.reason stands in the audit log. @throws RegistryError `not_found`, `archived`; `invalid`.
 */
export async function topUpBudget(
  change: Change,
  input: { readonly id: string; readonly unit: BudgetUnit; readonly by: string; readonly reason: string },
): Promise<{ budget: Budget; auditEventId: string }> {
  const { id, unit, by, reason } = input;
  const before = await lockBudget(change, { id, expectedVersion: null });
  const { definition } = before;
  const limit = definition.limits.find((each) => each.unit === unit && each.window.kind === 'lifetime');
  if (limit === undefined) throw new RegistryError('invalid', 'The budget has no LIFETIME limit of this unit.', ['unit']);
  if (BigInt(by) <= 0n) throw new RegistryError('invalid', 'What is added is above 0.', ['by']);
  const amount = (BigInt(limit.amount) + BigInt(by)).toString();
  if (BigInt(amount) > LARGEST_AMOUNT) throw new RegistryError('invalid', 'There would be absurdly much.', ['by']);
  const limits = definition.limits.map((each) => (each === limit ? { ...limit, amount } : each));
  const budget = await write(change, before, { definition: JSON.stringify({ ...definition, limits }) });
  await writeBudgetLimits(change, id, limits);
  const told = { amount, topUp: by, unit, topUpReason: reason };
  return { budget, auditEventId: await recordBudget(change, 'budget.top_up', budget, { amount: limit.amount }, told) };
}

/** Both sides of a difference come out of the database, which orders the fields of JSON its own way. */
function known(budget: Budget): { readonly name: string } & BudgetDefinition {
  return { name: budget.name, ...budget.definition };
}

function lockBudget(change: Change, input: { readonly id: string; readonly expectedVersion: number | null }): Promise<Budget> {
  return lockOwn(change, change.trx.selectFrom('budgets').selectAll(), 'budget', input);
}

function write(change: Change, before: Budget, after: Updateable<BudgetTable>): Promise<Budget> {
  return change.trx
    .updateTable('budgets')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken('Another budget has this name.'));
}

function recordBudget(
  change: Change,
  action: string,
  budget: Budget,
  before: object,
  after: Readonly<Record<string, unknown>>,
): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'budget', id: idFromUuid('budget', budget.id), name: budget.name }],
    changes: differences({ ...before }, after),
  });
}
