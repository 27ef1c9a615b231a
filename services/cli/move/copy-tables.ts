import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { MovedTable } from './moved-tables.ts';

const batchRows = 1_000;

/**
 * Carries all rows of these tables into an empty, migrated database. The journal keeps its positions: what the target's triggers
 * list for its sequencer is taken off that list again, in the same transaction, for it has its place already.
 */
export async function copyTables(source: Kysely<Database>, target: Transaction<Database>, tables: readonly MovedTable[]): Promise<void> {
  const months = await sql<{ month: Date }>`select distinct date_trunc('month', occurred_at, 'UTC') as month from ledger_entries`.execute(
    source,
  );
  for (const { month } of months.rows) await sql`select ensure_ledger_partition(${month})`.execute(target);
  for (const table of tables) await copyTable(source, target, table);
  await sql`delete from journal_unsequenced as listed using journal_positions as placed
    where placed.item_id = listed.item_id and placed.item_kind = listed.item_kind`.execute(target);
  // What was handed out is not handed out again.
  const waiting = await source.selectFrom('alerts_to_hand_out').select('alert_id').execute();
  await sql`delete from alerts_to_hand_out where alert_id <> all(${waiting.map(({ alert_id }) => alert_id)}::uuid[])`.execute(target);
  const { revision } = await source.selectFrom('registry_revision').select('revision').executeTakeFirstOrThrow();
  // Above both, so that a proxy with a snapshot of either database fetches a new one.
  await target
    .updateTable('registry_revision')
    .set({ revision: sql<bigint>`greatest(revision, ${revision}) + 1` })
    .execute();
}

async function copyTable(source: Kysely<Database>, target: Transaction<Database>, { name, rowText, isLeasing }: MovedTable): Promise<void> {
  const table = sql.table(name);
  await source.transaction().execute(async (reading) => {
    await sql`declare moved no scroll cursor for select ${rowText} as row from ${table}`.execute(reading);
    for (;;) {
      const { rows } = await sql<{ row: string }>`fetch ${sql.lit(batchRows)} from moved`.execute(reading);
      if (rows.length === 0) return;
      const texts = rows.map(({ row }) => row);
      if (isLeasing) {
        await sql`select lease_take_over(${name}, ${texts}::text[])`.execute(target);
        continue;
      }
      // `offset 0` keeps the text from being read once for each column.
      await sql`insert into ${table} select (parsed.whole).* from (
        select given.row::${table} as whole from unnest(${texts}::text[]) as given (row) offset 0) as parsed`.execute(target);
    }
  });
}
