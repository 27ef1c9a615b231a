import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { EntryRow } from '../../../schema/graphql/ports/journal-reads.ts';
import type { Database } from '../../../schema/tables/database.ts';
import { journalChannel } from '../../journal/journal-channel.ts';
import type { DatabaseConnection } from '../../runtime/postgres.ts';
import { entryColumns } from '../reads/journal-reads.ts';
import type { TenantRead } from '../reads/tenant-read.ts';
import { createTenantRead } from '../reads/tenant-read.ts';
import type { JournalFeed, JournalItem, JournalPages, PassingKind } from './journal-feed.ts';

const nilUuid = '00000000-0000-0000-0000-000000000000';

/** @param reader in role `reader`; each read is a transaction of its own, within its tenant. */
export function createPostgresJournalFeed(reader: Pick<DatabaseConnection, 'listen'> & { readonly db: Kysely<Database> }): JournalFeed {
  return {
    epoch: (signal) => readEpoch(createTenantRead(reader.db, nilUuid, signal)),
    of: (organizationId, signal) => createPostgresJournalPages(createTenantRead(reader.db, organizationId, signal), organizationId),
    listen: (onWake) => reader.listen(journalChannel, (payload) => onWake(payload === null)),
  };
}

/** The journal of the organization that `read` is bound to. */
export function createPostgresJournalPages(read: TenantRead, organizationId: string): JournalPages {
  return {
    head: () => readHead(read, organizationId),
    page: (after, limit) => readPage(read, organizationId, after, limit),
    pageOf: (kind, range, limit) => readPageOf(kind, read, organizationId, range, limit),
  };
}

function readHead(read: TenantRead, organizationId: string): Promise<bigint> {
  return read(async (trx) => {
    const head = await trx
      .selectFrom('journal_heads')
      .select('next_position')
      .where('organization_id', '=', organizationId)
      .executeTakeFirst();
    return (head?.next_position ?? 0n) - 1n;
  });
}

function readPage(read: TenantRead, organizationId: string, after: bigint, limit: number): Promise<JournalItem[]> {
  return read(async (trx) => {
    const rows = await trx
      .selectFrom('journal_positions')
      .leftJoin('ledger_entries', (join) =>
        join
          .onRef('ledger_entries.entry_id', '=', 'journal_positions.item_id')
          .onRef('ledger_entries.occurred_at', '=', 'journal_positions.occurred_at')
          .on('journal_positions.item_kind', '=', 'entry')
          .on('ledger_entries.kind', '=', 'usage'),
      )
      .leftJoin('audit_events', (join) =>
        join.onRef('audit_events.id', '=', 'journal_positions.item_id').on('journal_positions.item_kind', '=', 'audit'),
      )
      .select([
        'journal_positions.position',
        'journal_positions.sequenced_at',
        'item_kind',
        'item_id',
        ...entryColumns.map((column) => `ledger_entries.${column}` as const),
        'audit_events.id as audit_id',
        'audit_events.occurred_at as audit_occurred_at',
        'audit_events.action as audit_action',
        'audit_events.targets as audit_targets',
      ])
      .where('journal_positions.organization_id', '=', organizationId)
      .where('journal_positions.position', '>', after)
      .orderBy('journal_positions.position')
      .limit(limit)
      .execute();
    return rows.map(
      ({ position, sequenced_at, item_kind, item_id, audit_id, audit_occurred_at, audit_action, audit_targets, ...entry }) => ({
        position,
        sequencedAt: sequenced_at,
        usage: entryOf(entry),
        audit:
          audit_id === null || audit_occurred_at === null || audit_action === null
            ? null
            : { id: audit_id, occurredAt: audit_occurred_at, action: audit_action, targets: audit_targets },
        alert: item_kind === 'alert' ? item_id : null,
      }),
    );
  });
}

/** What lies between are entries, which can be many, so they are passed over by an index of the kind (migrations `0007` and `0019`). */
function readPageOf(
  kind: PassingKind,
  read: TenantRead,
  organizationId: string,
  range: { readonly after: bigint; readonly upTo: bigint },
  limit: number,
): Promise<JournalItem[]> {
  return read(async (trx) => {
    const rows = await trx
      .selectFrom('journal_positions')
      .leftJoin('audit_events', (join) =>
        join.onRef('audit_events.id', '=', 'journal_positions.item_id').on('journal_positions.item_kind', '=', 'audit'),
      )
      .select(['position', 'sequenced_at', 'item_id', 'audit_events.occurred_at', 'action', 'targets'])
      .where('journal_positions.organization_id', '=', organizationId)
      .where('item_kind', '=', sql.lit(kind))
      .where('position', '>', range.after)
      .where('position', '<=', range.upTo)
      .orderBy('position')
      .limit(limit)
      .execute();
    return rows.map(({ position, sequenced_at, item_id, occurred_at, action, targets }) => ({
      position,
      sequencedAt: sequenced_at,
      usage: null,
      audit: occurred_at === null || action === null ? null : { id: item_id, occurredAt: occurred_at, action, targets },
      alert: kind === 'alert' ? item_id : null,
    }));
  });
}

type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

/** A left join that found nothing gives nulls, also where a column has none. */
function entryOf(row: Nullable<EntryRow>): EntryRow | null {
  return row.entry_id === null ? null : (row as EntryRow);
}

/** A restored server goes on in a new timeline. */
function readEpoch(read: TenantRead): Promise<string> {
  return read(async (trx) => {
    const { rows } = await sql<{ epoch: string }>`
      select system_identifier || '/' || timeline_id as epoch from pg_control_system(), pg_control_checkpoint()`.execute(trx);
    return rows[0]?.epoch ?? '';
  });
}
