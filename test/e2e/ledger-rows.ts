import { sql } from 'kysely';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';

/** A line of the ledger, with its request's id as applications see it. */
export type LedgerRow = Awaited<ReturnType<typeof readLedger>>[number];

/** Every line, read from the table itself. */
export async function readLedger({ db }: Pick<DatabaseConnection, 'db'>) {
  const rows = await db
    .selectFrom('ledger_entries')
    .select(['kind', 'outcome', 'status', 'model', 'stream', 'cost', 'proxy_cost', 'price_version', 'unrated', 'flags', 'usage_source'])
    .select([
      'tokens_input',
      'tokens_cache_read',
      'tokens_cache_write_5m',
      'tokens_cache_write_1h',
      'tokens_input_audio',
      'tokens_input_image',
    ])
    .select(['tokens_output', 'tokens_reasoning', 'tokens_output_audio', 'tokens_output_image', 'request_id', 'entry_id', 'api_key_id'])
    .execute();
  return rows.map((row) => ({ ...row, requestId: idFromUuid('request', row.request_id) }));
}

/** Whether everything booked has its place in its organization's journal. */
export async function isSequenced({ db }: Pick<DatabaseConnection, 'db'>): Promise<boolean> {
  const waiting = await sql<{ waiting: bigint }>`select count(*) as waiting from journal_unsequenced`.execute(db);
  return waiting.rows[0]?.waiting === 0n;
}

/** What the minute, hour and day rollups say in all, tags apart. */
export async function readRollupSums({ db }: Pick<DatabaseConnection, 'db'>) {
  const of = (table: 'usage_minute' | 'usage_hour' | 'usage_day') => sql`
    select ${table} as grain, sum(requests) as requests, sum(cost) as cost, sum(tokens_output) as output, sum(tokens_reasoning) as reasoning
    from ${sql.table(table)} where tag_key = ''`;
  const sums = await sql<{ grain: string; requests: bigint; cost: bigint; output: bigint; reasoning: bigint }>`
    ${of('usage_minute')} union all ${of('usage_hour')} union all ${of('usage_day')}`.execute(db);
  return sums.rows;
}

/** Positions of each organization's journal: dense means that they run from 0 and each holds another item. */
export async function readJournalShape({ db }: Pick<DatabaseConnection, 'db'>) {
  const found = await sql<{ positions: bigint; first: bigint; last: bigint; items: bigint }>`
    select count(*) as positions, min(position) as first, max(position) as last, count(distinct item_id) as items
    from journal_positions group by organization_id`.execute(db);
  return found.rows;
}

/** Ids of the requests that are in the ledger: little to read, so that it can be looked at again and again. */
export async function readRequestIds({ db }: Pick<DatabaseConnection, 'db'>): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('ledger_entries').select('request_id').execute();
  return new Set(rows.map((row) => idFromUuid('request', row.request_id)));
}
