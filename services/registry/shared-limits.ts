import { sql } from 'kysely';
import type { SharedLimit } from '../../schema/values/rate-limit.ts';
import type { Change } from './change.ts';

/**
 * Tells proxies of the limits of a rate limit that they have shares of. A changed amount is another bound for the same shares; a limit that the rate limit no
 * longer has is sealed, and holds nobody up. Limits are locked in the order of their ids, as proxies lock them.
 */
export async function writeSharedLimits(change: Change, rateLimitId: string, limits: readonly SharedLimit[]): Promise<void> {
  await sql`select from shared_limits where rate_limit_id = ${rateLimitId} order by id for no key update`.execute(change.trx);
  await sql`
    update shared_limits set sealed_at = lease_now()
    where rate_limit_id = ${rateLimitId} and sealed_at is null and id <> all (${limits.map(({ id }) => id)}::uuid[])`.execute(change.trx);
  for (const { id, unit, amount, periodMs } of limits) {
    await sql`
      insert into shared_limits (id, organization_id, rate_limit_id, unit, amount, period_ms)
      values (${id}, ${change.organizationId}, ${rateLimitId}, ${unit}, ${amount}, ${periodMs})
      on conflict (id) do update set amount = excluded.amount, sealed_at = null`.execute(change.trx);
  }
}
