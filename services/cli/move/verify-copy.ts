import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { MovedTable } from './moved-tables.ts';

/** What a table holds: how many rows, and a sum over all their content in which no order counts. */
type Content = { readonly rows: bigint; readonly checksum: bigint };

export type Verification = {
  readonly tables: readonly { readonly name: string; readonly rows: bigint }[];
  readonly entries: bigint;
  /** Sum of the ledger, pico-USD. */
  readonly cost: bigint;
  /** Everything that is not as it must be; empty where all is well. */
  readonly problems: readonly string[];
};

/** Compares the two databases row by row by way of checksums, and the copy's ledger with its own rollups and its own journal. */
export async function verifyCopy(source: Kysely<Database>, target: Kysely<Database>, tables: readonly MovedTable[]): Promise<Verification> {
  const problems: string[] = [];
  const counted: { name: string; rows: bigint }[] = [];
  for (const table of tables) {
    const [before, after] = [await contentOf(source, table), await contentOf(target, table)];
    if (before.rows !== after.rows) problems.push(`${table.name}: ${after.rows} rows of ${before.rows}`);
    else if (before.checksum !== after.checksum) problems.push(`${table.name}: rows differ`);
    counted.push({ name: table.name, rows: after.rows });
  }
  const ledger = await sumsOf(target, sql`select count(*) as entries, coalesce(sum(cost), 0) as cost from ledger_entries`);
  const days = await sumsOf(
    target,
    sql`select coalesce(sum(requests), 0) as entries, coalesce(sum(cost), 0) as cost from usage_day where tag_key = ''`,
  );
  if (days.entries !== ledger.entries || days.cost !== ledger.cost) {
    problems.push(
      `the days' rollups count ${days.entries} entries of ${days.cost} pico-USD, the ledger ${ledger.entries} of ${ledger.cost}`,
    );
  }
  const gaps = await sql<{ organization_id: string }>`
    select organization_id from journal_heads full join
      (select organization_id, count(*) as placed, max(position) + 1 as next from journal_positions group by 1) as journal using (organization_id)
    where placed is distinct from next_position or next is distinct from next_position`.execute(target);
  if (gaps.rows.length > 0) problems.push(`the journals of ${gaps.rows.length} organization(s) have gaps`);
  const listed = await sql`select from journal_unsequenced limit 1`.execute(target);
  if (listed.rows.length > 0) problems.push('the sequencer would give a place to what has one or should have one');
  return { tables: counted, ...ledger, problems };
}

async function contentOf(db: Kysely<Database>, { name, rowText }: MovedTable): Promise<Content> {
  const { rows } = await sql<Content>`
    select count(*) as rows, coalesce(sum(('x' || left(md5(${rowText}), 15))::bit(60)::bigint), 0) as checksum from ${sql.table(name)}`.execute(
    db,
  );
  return rows[0] ?? { rows: 0n, checksum: 0n };
}

async function sumsOf(db: Kysely<Database>, query: ReturnType<typeof sql>): Promise<{ readonly entries: bigint; readonly cost: bigint }> {
  const { rows } = await sql<{ entries: bigint; cost: bigint }>`${query}`.execute(db);
  return rows[0] ?? { entries: 0n, cost: 0n };
}
