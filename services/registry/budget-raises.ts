import { sql } from 'kysely';
import type { BudgetDefinition, BudgetLimit } from '../../schema/values/budget.ts';
import { LARGEST_AMOUNT, limitKey, YEAR_SECONDS } from './budget-definition.ts';
import type { Change } from './change.ts';
import { RegistryError } from './change.ts';

/** So much more of one limit until a moment, in place of a raise of it that may run; `until` null ends that one. */
export type GivenRaise = Pick<BudgetLimit, 'unit' | 'window'> & {
  /** In the limit's unit, as decimal text; 0 exactly where `until` is null. */
  readonly by: string;
  readonly until: Date | null;
};

/** A raise as the audit log shows it; null: none. */
type ShownRaise = { readonly by: string; readonly until: string } | null;

/**
 * The database ends a raise by its own clock (migrations/0013_leases.sql): nobody has to be there.
 * @returns what was there before and what is there now.
 * @throws RegistryError `invalid`, which names the field.
 */
export async function raiseLimit(
  change: Change,
  definition: BudgetDefinition,
  given: GivenRaise,
): Promise<{ readonly before: ShownRaise; readonly after: ShownRaise }> {
  const limit = definition.limits.find((each) => limitKey(each) === limitKey(given));
  if (limit === undefined) throw new RegistryError('invalid', 'The budget has no limit of this unit and window.', ['window']);
  checkRaise(given, change.clock.now());
  const { by, until } = given;
  const row = await change.trx
    .selectFrom('budget_limits')
    .select(['raised', 'raised_until'])
    .where('id', '=', limit.id)
    .where('sealed_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new RegistryError('invalid', 'Nothing is counted by this limit.', ['window']);
  // Two further: the end of the raise before may have counted as one.
  await sql`
    update budget_limits set raised = ${by}, raised_until = ${until}, version = version + 2, updated_at = lease_now() where id = ${limit.id}`.execute(
    change.trx,
  );
  return {
    before: row.raised_until === null ? null : { by: row.raised.toString(), until: row.raised_until.toISOString() },
    after: until === null ? null : { by, until: until.toISOString() },
  };
}

function checkRaise({ by, until }: GivenRaise, now: number): void {
  if (BigInt(by) < 0n || BigInt(by) > LARGEST_AMOUNT) throw new RegistryError('invalid', 'A raise is neither negative nor absurd.', ['by']);
  if (BigInt(by) > 0n !== (until !== null)) {
    throw new RegistryError('invalid', 'A raise says until when; only one of 0, which ends a raise, does not.', ['until']);
  }
  if (until !== null && !(until.getTime() > now && until.getTime() <= now + YEAR_SECONDS * 1_000)) {
    throw new RegistryError('invalid', 'A raise ends in the future, within 366 days.', ['until']);
  }
}
