import type { Kysely, Selectable } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { AuditEventTable } from '../../schema/tables/audit-event.table.ts';
import type { Database } from '../../schema/tables/database.ts';
import type { JournalPositionTable } from '../../schema/tables/journal-position.table.ts';
import type { LedgerEntryTable } from '../../schema/tables/ledger-entry.table.ts';
import { plainArray } from './sql-array.ts';

/**
 * Channel on which the sequencer wakes those who follow the journal, at most ten times a second and without data. A missed
 * one does no harm: readers look once a second as well.
 */
export const journalChannel = 'turnpike_journal';

export type JournalItem = Selectable<JournalPositionTable>;

/** Position that the next item of each organization (uuid) will have; one that has no item yet is at 0. */
export async function readHeads(db: Kysely<Database>, organizationIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const heads = new Map(organizationIds.map((organizationId) => [organizationId, 0n]));
  if (organizationIds.length === 0) return heads;
  const rows = await db
    .selectFrom('journal_heads')
    .selectAll()
    .where('organization_id', 'in', [...organizationIds])
    .execute();
  for (const row of rows) heads.set(row.organization_id, row.next_position);
  return heads;
}

/**
 * Sequenced items from a position on, for many organizations in one statement: an index probe for each that has nothing new.
 * Positions are dense and never change, so what comes back continues without a gap from what was read before.
 * @param from first position wanted by organization (uuid); a follower passes the last one it saw plus one.
 * @param limit most items of one organization; where as many come back there may be more.
 * @returns items by organization in the order of their positions; organizations without new items are left out.
 */
export async function readSequenced(
  db: Kysely<Database>,
  from: ReadonlyMap<string, bigint>,
  limit: number,
): Promise<ReadonlyMap<string, readonly JournalItem[]>> {
  const found = new Map<string, JournalItem[]>();
  if (from.size === 0) return found;
  const { rows } = await db.executeQuery<JournalItem>(
    CompiledQuery.raw(
      `select item.* from unnest($1::uuid[], $2::bigint[]) as wanted (organization_id, position)
cross join lateral (
  select * from journal_positions as stored
  where stored.organization_id = wanted.organization_id and stored.position >= wanted.position
  order by stored.position limit $3
) as item order by item.organization_id, item.position`,
      [plainArray([...from.keys()]), plainArray([...from.values()]), limit],
    ),
  );
  for (const row of rows) {
    const items = found.get(row.organization_id);
    if (items === undefined) found.set(row.organization_id, [row]);
    else items.push(row);
  }
  return found;
}

/** An entry without the event's bytes, which nobody shows. */
export type LedgerEntry = Omit<Selectable<LedgerEntryTable>, 'body'>;

export const ledgerEntryColumns = [
  'entry_id',
  'occurred_at',
  'recorded_at',
  'kind',
  'organization_id',
  'request_id',
  'api_key_id',
  'team_id',
  'user_id',
  'service_account_id',
  'endpoint',
  'provider',
  'model',
  'model_requested',
  'route_id',
  'outcome',
  'status',
  'error_code',
  'stream',
  'tokens_input',
  'tokens_cache_read',
  'tokens_cache_write_5m',
  'tokens_cache_write_1h',
  'tokens_input_audio',
  'tokens_input_image',
  'tokens_output',
  'tokens_reasoning',
  'tokens_output_audio',
  'tokens_output_image',
  'usage_source',
  'cost',
  'price_version',
  'unrated',
  'proxy_cost',
  'flags',
  'tags',
  'first_byte_ms',
  'total_ms',
  'reverses',
  'reason',
  'log_partition',
  'log_offset',
  'body_hash',
] as const satisfies readonly (keyof LedgerEntry)[];

const selectEntries = `select ${ledgerEntryColumns.map((name) => `entry.${name}`).join(', ')}
from unnest($1::uuid[], $2::timestamptz[]) as key (entry_id, occurred_at) join ledger_entries as entry using (entry_id, occurred_at)`;

/** The entries among these items, by id (uuid). The item's time leads straight to the entry's partition. */
export async function readEntriesOf(
  db: Kysely<Database>,
  items: readonly Pick<JournalItem, 'item_id' | 'item_kind' | 'occurred_at'>[],
): Promise<ReadonlyMap<string, LedgerEntry>> {
  const keys = items.filter((item) => item.item_kind === 'entry');
  if (keys.length === 0) return new Map();
  const { rows } = await db.executeQuery<LedgerEntry>(
    CompiledQuery.raw(selectEntries, [
      plainArray(keys.map((key) => key.item_id)),
      plainArray(keys.map((key) => key.occurred_at.toISOString())),
    ]),
  );
  return new Map(rows.map((row) => [row.entry_id, row]));
}

/** The audit events among these items, by id (uuid). */
export async function readAuditEventsOf(
  db: Kysely<Database>,
  items: readonly Pick<JournalItem, 'item_id' | 'item_kind'>[],
): Promise<ReadonlyMap<string, Selectable<AuditEventTable>>> {
  const ids = items.filter((item) => item.item_kind === 'audit').map((item) => item.item_id);
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('audit_events').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
}
