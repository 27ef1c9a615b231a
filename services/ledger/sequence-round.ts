import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { journalChannel } from '../journal/journal-channel.ts';
import { prepared } from '../runtime/postgres.ts';

export type Round = {
  /** Items that were given a position. */
  readonly sequenced: number;
  /** Time in the oldest item of the round in epoch milliseconds; null when there was none. */
  readonly oldestMs: number | null;
};

const limitTransaction = prepared(`select set_config('transaction_timeout', '15s', true)`);
const placeOldest = prepared(`with oldest as materialized (
  select ctid as place, * from journal_unsequenced order by log_partition, log_offset, item_id, item_kind limit $1
), picked as materialized (
  select *, row_number() over (partition by organization_id order by log_partition, log_offset, item_id, item_kind) as rank from oldest
), counted as materialized (
  select organization_id, count(*) as items from picked group by organization_id
), heads as (
  insert into journal_heads as head (organization_id, next_position)
  select organization_id, items from counted order by organization_id
  on conflict (organization_id) do update set next_position = head.next_position + excluded.next_position
  returning organization_id, next_position
), placed as (
  insert into journal_positions (organization_id, position, item_kind, item_id, occurred_at)
  select organization_id, heads.next_position - counted.items + picked.rank - 1, item_kind, item_id, occurred_at
  from picked join counted using (organization_id) join heads using (organization_id)
), removed as (
  delete from journal_unsequenced where ctid = any (array(select place from picked))
)
select count(*) as sequenced, min(occurred_at) as oldest from picked`);

/**
 * Gives committed journal items their positions: takes up to `limit` that have none in (partition, offset) order, numbers
 * them densely within their organization, and takes them off the list. One transaction, so all of it or nothing; a second
 * sequencer at the same moment waits for the first one's heads and then breaks on the unique item instead of counting twice.
 * @param wakeReaders asked with the number sequenced, before the commit: whether readers are to be woken with it.
 */
export async function sequenceRound(
  db: Kysely<Database>,
  options: { readonly limit: number; readonly wakeReaders: (sequenced: number) => boolean },
): Promise<Round> {
  return db.transaction().execute(async (trx) => {
    await trx.executeQuery(CompiledQuery.raw(limitTransaction));
    const { rows } = await trx.executeQuery<{ sequenced: bigint; oldest: Date | null }>(CompiledQuery.raw(placeOldest, [options.limit]));
    const sequenced = Number(rows[0]?.sequenced ?? 0n);
    // The name only, never data: it wakes readers, who then look for themselves.
    if (options.wakeReaders(sequenced)) await sql`notify ${sql.id(journalChannel)}`.execute(trx);
    return { sequenced, oldestMs: rows[0]?.oldest?.getTime() ?? null };
  });
}
