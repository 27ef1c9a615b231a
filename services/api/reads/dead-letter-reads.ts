import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { SUBJECT_HEADER } from '../../../schema/events/request-settled.v1.ts';
import type { Viewer } from '../../../schema/graphql/context.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { DeadLetterReads } from '../../../schema/graphql/ports/dead-letter-reads.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

const columns = [
  'id',
  'topic',
  'partition',
  'log_offset',
  'reason',
  'detail',
  'organization_id',
  'record_key',
  'recorded_at',
  'state',
  'retries',
  'retry_requested_at',
  'retried_at',
  'retry_reason',
  'retry_detail',
  'closed_at',
  'request_id',
  'discard_reason',
  sql<boolean>`headers ? ${sql.lit(SUBJECT_HEADER)}`.as('has_subject'),
  sql<number>`coalesce(value_bytes, length(value))`.as('size'),
  sql<string>`encode(coalesce(value_hash, sha256(value)), 'hex')`.as('sha256'),
] as const;

/**
 * Reads of dead letters within the viewer's organization.
 * @param all a connection that row-level security does not bind, used only for who administers the installation: what no
 * organization could be read from belongs to nobody else.
 */
export function createDeadLetterReads(read: TenantRead, viewer: Viewer, all: Kysely<Database>): DeadLetterReads {
  const administers = allows(viewer.permissions, 'installation:admin');
  const readLetters: TenantRead = administers ? (query) => all.transaction().setAccessMode('read only').execute(query) : read;
  const letters = (trx: Kysely<Database>) => {
    const query = trx.selectFrom('dead_letters');
    return administers ? query : query.where('organization_id', '=', viewer.organizationId);
  };

  return {
    deadLettersById: (ids) =>
      readLetters(async (trx) => inOrderOf(ids, await letters(trx).select(columns).where('id', 'in', ids).execute(), (row) => row.id)),
    deadLetters: (page, filter) =>
      readLetters((trx) => {
        let query = letters(trx).select(columns);
        if (filter.states !== null) query = query.where(sql<boolean>`state = any(${[...filter.states]}::text[])`);
        if (filter.reasons !== null) query = query.where(sql<boolean>`reason = any(${[...filter.reasons]}::text[])`);
        if (filter.organizationId !== null) query = query.where('organization_id', '=', filter.organizationId);
        if (filter.hasOrganization !== null) query = query.where('organization_id', filter.hasOrganization ? 'is not' : 'is', null);
        if (filter.from !== null) query = query.where('recorded_at', '>=', filter.from);
        if (filter.to !== null) query = query.where('recorded_at', '<', filter.to);
        return readPage(query, page, { column: null, id: 'id', descending: true });
      }),
    headersById: (ids) =>
      readLetters(async (trx) => {
        const rows = await letters(trx).select(['id', 'headers']).where('id', 'in', ids).execute();
        return inOrderOf(ids, rows, (row) => row.id).map((row) => row?.headers ?? null);
      }),
    valuesById: (ids) =>
      readLetters(async (trx) => {
        const rows = await letters(trx).select(['id', 'value']).where('id', 'in', ids).execute();
        return inOrderOf(ids, rows, (row) => row.id).map((row) => row?.value ?? null);
      }),
    settledHoldsById: (ids) =>
      readLetters(async (trx) => {
        const rows = await letters(trx).select(['id', 'settled_holds']).where('id', 'in', ids).execute();
        return inOrderOf(ids, rows, (row) => row.id).map((row) => row?.settled_holds ?? null);
      }),
  };
}
