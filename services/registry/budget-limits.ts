import { sql } from 'kysely';
import type { CountedLimit } from '../../schema/values/rate-limit.ts';
import type { Change } from './change.ts';

/**
 * Tells leasing of the limits of a budget or a rate limit (reference/leases.md section 2): a changed amount is a new version of its limit, which the proxies hear
 * of with their next beat; one that the budget no longer has is sealed, and what runs on it settles there. None: the budget is archived. Limits
 * are locked in the order of their ids, as asks lock them.
 */
export async function writeBudgetLimits(change: Change, budgetId: string, limits: readonly CountedLimit[]): Promise<void> {
  await sql`select from budget_limits where budget_id = ${budgetId} order by id for no key update`.execute(change.trx);
  await sql`
    update budget_limits set sealed_at = lease_now(), updated_at = lease_now()
    where budget_id = ${budgetId} and sealed_at is null and id <> all (${limits.map(({ id }) => id)}::uuid[])`.execute(change.trx);
  for (const { id, unit, amount, window } of limits) {
    const zone = 'zone' in window ? window.zone : 'UTC';
    const anchor = 'anchor' in window ? window.anchor : '2001-01-01T00:00:00';
    const seconds = window.kind === 'rolling' ? window.seconds : null;
    await sql`
      insert into budget_limits (id, organization_id, budget_id, unit, amount, window_kind, window_zone, window_anchor, window_seconds)
      values (${id}, ${change.organizationId}, ${budgetId}, ${unit}, ${amount}, ${window.kind}, ${zone}, ${anchor}, ${seconds})
      on conflict (id) do update set amount = excluded.amount, version = budget_limits.version + 1, updated_at = lease_now(), sealed_at = null
        where budget_limits.amount <> excluded.amount or budget_limits.sealed_at is not null`.execute(change.trx);
  }
}
