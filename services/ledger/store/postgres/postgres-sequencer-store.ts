import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { journalChannel } from '../../../journal/journal-channel.ts';
import { prepared } from '../../../runtime/postgres.ts';
import type { SequencerSession, SequencerStore } from '../sequencer-store.ts';
import { limitTransaction } from './limit-transaction.ts';

/** `turnpikeS` in ASCII, cut to 63 bits: any number will do as long as nobody else takes it. */
const leaderLock = 0x75726e70_696b6553n;
/** A leader that is frozen loses its session, and with it the lock, to the others. */
const idleSessionTimeout = '10s';

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
 * The journal's order in PostgreSQL. A second sequencer at the same moment waits for the first one's heads and then breaks on
 * the unique item instead of counting twice.
 * @param db a pool of one connection that nobody else uses: leadership is a lock of its session.
 */
export function createPostgresSequencerStore(db: Kysely<Database>): SequencerStore {
  return {
    session: (work) =>
      db.connection().execute(async (connection) => {
        await sql`select set_config('idle_session_timeout', ${idleSessionTimeout}, false)`.execute(connection);
        return work(createPostgresSequencerSession(connection));
      }),
  };
}

/** The session itself, without the limit on silence: on a single connection, or on a pool where nobody leads. */
export function createPostgresSequencerSession(connection: Kysely<Database>): SequencerSession {
  return {
    tryToLead: async () => {
      const { rows } = await sql<{ leads: boolean }>`select pg_try_advisory_lock(${leaderLock}) as leads`.execute(connection);
      return rows[0]?.leads === true;
    },
    stopLeading: async () => {
      await sql`select pg_advisory_unlock(${leaderLock})`.execute(connection);
    },
    transaction: (work) =>
      connection.transaction().execute(async (trx) => {
        await trx.executeQuery(CompiledQuery.raw(limitTransaction));
        return work({
          placeOldest: async (limit) => {
            const { rows } = await trx.executeQuery<{ sequenced: bigint; oldest: Date | null }>(CompiledQuery.raw(placeOldest, [limit]));
            return { sequenced: Number(rows[0]?.sequenced ?? 0n), oldestMs: rows[0]?.oldest?.getTime() ?? null };
          },
          // The name only, never data: it wakes readers, who then look for themselves.
          wakeReaders: async () => {
            await sql`notify ${sql.id(journalChannel)}`.execute(trx);
          },
        });
      }),
  };
}
