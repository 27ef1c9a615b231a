import { sql } from 'kysely';
import type { EntryRow } from '../../../schema/graphql/ports/journal-reads.ts';
import { entryColumns } from '../reads/journal-reads.ts';
import type { TenantRead } from '../reads/tenant-read.ts';

/** One position of an organization's journal. */
export interface JournalItem {
  readonly position: bigint;
  readonly sequencedAt: Date;
  /** Null where it is not a usage entry: an audit event, an adjustment. */
  readonly usage: EntryRow | null;
}

/** The last position that is given out, or -1n in an empty journal. */
export function readHead(read: TenantRead, organizationId: string): Promise<bigint> {
  return read(async (trx) => {
    const head = await trx
      .selectFrom('journal_heads')
      .select('next_position')
      .where('organization_id', '=', organizationId)
      .executeTakeFirst();
    return (head?.next_position ?? 0n) - 1n;
  });
}

/** Positions after one, in order and without holes: one sequencer commits them densely. */
export function readJournalPage(read: TenantRead, organizationId: string, after: bigint, limit: number): Promise<JournalItem[]> {
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
      .select([
        'journal_positions.position',
        'journal_positions.sequenced_at',
        ...entryColumns.map((column) => `ledger_entries.${column}` as const),
      ])
      .where('journal_positions.organization_id', '=', organizationId)
      .where('journal_positions.position', '>', after)
      .orderBy('journal_positions.position')
      .limit(limit)
      .execute();
    return rows.map(({ position, sequenced_at, ...entry }) => ({ position, sequencedAt: sequenced_at, usage: entryOf(entry) }));
  });
}

type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

/** A left join that found nothing gives nulls, also where a column has none. */
function entryOf(row: Nullable<EntryRow>): EntryRow | null {
  return row.entry_id === null ? null : (row as EntryRow);
}

/**
 * What positions belong to: another server, or the same one restored to an earlier time (a new timeline), counts them anew,
 * and a cursor of before would point at other rows.
 */
export function readEpoch(read: TenantRead): Promise<string> {
  return read(async (trx) => {
    const { rows } = await sql<{ epoch: string }>`
      select system_identifier || '/' || timeline_id as epoch from pg_control_system(), pg_control_checkpoint()`.execute(trx);
    return rows[0]?.epoch ?? '';
  });
}
