import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { readMovedTables } from '../../services/cli/move/moved-tables.ts';

/** A database as SQL that fills an empty one with the same migrations. */
export type DatabaseDump = {
  readonly migrations: readonly { readonly name: string; readonly sha256: string }[];
  readonly sql: string;
};

/** Tables about this database, which `move` leaves behind and another version of the same installation finds. */
const alsoKept = ['log_offsets'] as const;

/**
 * Dumps all rows (there is no pg_dump among the embedded binaries), each as PostgreSQL writes a composite value, which reads back the
 * same to the last bit. Triggers fill `journal_unsequenced` as rows come; whatever has its place in the journal is taken off it again.
 */
export async function dumpDatabase(db: Kysely<Database>): Promise<DatabaseDump> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (moment) => {
      await sql`set local time zone 'UTC'`.execute(moment);
      const migrations = await sql<{ name: string; sha256: string }>`select name, sha256 from schema_migrations order by name`.execute(
        moment,
      );
      const months = await sql<{ month: string }>`
        select distinct to_char(date_trunc('month', occurred_at), 'YYYY-MM-DD') as month from ledger_entries`.execute(moment);
      const lines = months.rows.map(({ month }) => `select ensure_ledger_partition('${month} 00:00:00+00');`);
      const moved = (await readMovedTables(moment)).map(({ name }) => name);
      for (const table of [...moved, ...alsoKept]) {
        const rows = await sql<{ row: string }>`select ${sql.ref(table)}::text as row from ${sql.table(table)}`.execute(moment);
        // `offset 0` keeps the text from being read once for each column.
        for (const { row } of rows.rows) {
          lines.push(
            `insert into ${table} select (parsed.whole).* from (select '${row.replaceAll("'", "''")}'::${table} as whole offset 0) as parsed;`,
          );
        }
      }
      const { revision } = await moment.selectFrom('registry_revision').select('revision').executeTakeFirstOrThrow();
      lines.push(
        'delete from journal_unsequenced as listed using journal_positions as placed where placed.item_id = listed.item_id and placed.item_kind = listed.item_kind;',
        `update registry_revision set revision = ${revision};`,
      );
      return { migrations: migrations.rows, sql: `${lines.join('\n')}\n` };
    });
}
