import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { copyOrder, type Reference } from './copy-order.ts';

/** A table whose rows are carried over as they are, and how one of them reads as text. */
export type MovedTable = {
  readonly name: string;
  /** The row as PostgreSQL writes a composite value: what it reads back is the same to the last bit, whatever the types. */
  readonly rowText: RawBuilder<string>;
  /** Written by the functions of leasing alone, which have one for this. */
  readonly isLeasing: boolean;
};

/**
 * Tables that say something about this database or this event log rather than about what happened: the place in the log, which
 * another log does not share; the lists of what waits for its place or for a look at its thresholds or for its channels, which the triggers write; the
 * one row that a migration made; what proxies tell anew each second.
 */
const notMoved: ReadonlySet<string> = new Set([
  'schema_migrations',
  'log_offsets',
  'journal_unsequenced',
  'threshold_checks',
  'alerts_to_hand_out',
  'registry_revision',
  'lease_generation',
  'lease_open_reports',
  'share_holders',
  'shares',
]);

/** As `lease_take_over` has them (migrations/0030_purged_counters.sql). */
const leasing: ReadonlySet<string> = new Set([
  'lease_nodes',
  'budget_counters',
  'leases',
  'lease_log',
  'lease_postings',
  'counter_totals',
  'counter_buckets',
  'lease_reports',
  'purged_counters',
]);

/** Records set aside are told apart by topic, partition and offset, which another log uses again. */
const formerTopic = ' (embedded)';

/** Every other table of the database, those that are referred to first. Whatever a migration adds is among them. */
export async function readMovedTables(db: Kysely<Database>): Promise<readonly MovedTable[]> {
  const columns = await sql<{ name: string; columns: readonly string[] }>`
    select relname as name, array_agg(attname::text order by attnum) as columns
    from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition group by relname`.execute(db);
  const references = await sql<Reference>`
    select source.relname as from, target.relname as to from pg_constraint
    join pg_class as source on source.oid = conrelid join pg_class as target on target.oid = confrelid where contype = 'f'`.execute(db);
  const byName = new Map(columns.rows.filter(({ name }) => !notMoved.has(name)).map((row) => [row.name, row.columns]));
  return copyOrder([...byName.keys()].sort(), references.rows).map((name) => ({
    name,
    rowText: rowText(name, byName.get(name) ?? []),
    isLeasing: leasing.has(name),
  }));
}

function rowText(table: string, columns: readonly string[]): RawBuilder<string> {
  const values = columns.map((column) =>
    table === 'dead_letters' && column === 'topic'
      ? sql`case when topic like ${sql.lit(`%${formerTopic}`)} then topic else topic || ${sql.lit(formerTopic)} end`
      : sql`${sql.ref(column)}`,
  );
  return sql<string>`row(${sql.join(values)})::text`;
}
