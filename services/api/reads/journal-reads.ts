import { sql } from 'kysely';
import type { EntryRow, JournalReads } from '../../../schema/graphql/ports/journal-reads.ts';
import { inOrderOf, readPage } from './keyset.ts';
import { requestFilterSql } from './request-filter-sql.ts';
import type { TenantRead } from './tenant-read.ts';

/** Every column but the bytes and where they came from. */
export const entryColumns = [
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
] as const satisfies readonly (keyof EntryRow)[];

/** Reads of one organization's ledger. */
export function createJournalReads(read: TenantRead, organizationId: string): JournalReads {
  return {
    entriesById: (ids) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('ledger_entries')
          .select(entryColumns)
          .where('organization_id', '=', organizationId)
          .where('entry_id', 'in', ids)
          .execute();
        return inOrderOf(ids, rows, (row) => row.entry_id);
      }),
    entries: (page, filter, oldestFirst) =>
      read((trx) => {
        let query = trx.selectFrom('ledger_entries').select(entryColumns).where('organization_id', '=', organizationId);
        if (filter.kinds !== null) query = query.where('kind', '=', sql<EntryRow['kind']>`any(${[...filter.kinds]}::text[])`);
        if (filter.requests !== null) query = query.where(requestFilterSql(filter.requests));
        return readPage(query, page, { column: { name: 'occurred_at', type: 'instant' }, id: 'entry_id', descending: !oldestFirst });
      }),
    bodiesById: (ids) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('ledger_entries')
          .select(['entry_id', 'body'])
          .where('organization_id', '=', organizationId)
          .where('entry_id', 'in', ids)
          .where('kind', '=', 'usage')
          .execute();
        return inOrderOf(ids, rows, (row) => row.entry_id).map((row) => row?.body ?? null);
      }),
    positionsOf: (kind, ids) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('journal_positions')
          .select(['item_id', 'position'])
          .where('organization_id', '=', organizationId)
          .where('item_kind', '=', kind)
          .where('item_id', 'in', ids)
          .execute();
        return inOrderOf(ids, rows, (row) => row.item_id).map((row) => row?.position ?? null);
      }),
  };
}
