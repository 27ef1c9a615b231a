import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { prepared } from '../runtime/postgres.ts';
import type { LedgerEntryInsert } from './entry-columns.ts';
import { entryColumns, entryParameters } from './entry-columns.ts';
import { byteaArray, plainArray } from './sql-array.ts';

const names = entryColumns.map(({ name }) => name);
const insertEntries = prepared(`insert into ledger_entries (${names.join(', ')})
select ${entryColumns.map(({ name, cast }) => (cast === null ? name : `${name}::${cast}`)).join(', ')}
from (select ${entryColumns.map(({ name, type }, index) => `unnest($${index + 1}::${type}[]) as ${name}`).join(', ')}) as new
on conflict do nothing returning entry_id`);

/**
 * Appends entries in one statement, up to some thousands of them; the month partitions must exist ({@link createPartitionKeeper}).
 * An entry whose id is in the ledger already is passed over, whatever it holds: compare with {@link readBodyHashes}.
 * @returns ids of the entries that this call added.
 */
export async function appendEntries(trx: Kysely<Database>, entries: readonly LedgerEntryInsert[]): Promise<ReadonlySet<string>> {
  if (entries.length === 0) return new Set();
  const { rows } = await trx.executeQuery<{ entry_id: string }>(CompiledQuery.raw(insertEntries, entryParameters(entries)));
  return new Set(rows.map((row) => row.entry_id));
}

/** SHA-256 of the bodies that the ledger holds under these ids, in hex; ids it does not hold are left out. */
export async function readBodyHashes(
  trx: Kysely<Database>,
  keys: readonly { readonly entry_id: string; readonly occurred_at: Date }[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await trx.executeQuery<{ entry_id: string; hash: string }>(
    CompiledQuery.raw(
      `select entry.entry_id, encode(entry.body_hash, 'hex') as hash
from unnest($1::uuid[], $2::timestamptz[]) as key (entry_id, occurred_at) join ledger_entries as entry using (entry_id, occurred_at)`,
      [plainArray(keys.map((key) => key.entry_id)), plainArray(keys.map((key) => key.occurred_at.toISOString()))],
    ),
  );
  return new Map(rows.map((row) => [row.entry_id, row.hash]));
}

export interface RequestSubjectInsert {
  readonly requestId: string;
  readonly organizationId: string;
  readonly occurredAt: Date;
  readonly salt: Buffer;
  readonly endUser: string | null;
  readonly address: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** What stands for the end user in keys of counters; null where nothing counts by end user. */
  readonly endUserAlias: string | null;
}

/** Stores the personal data of requests in their erasable table. One that is there already stays as it is. */
export async function appendRequestSubjects(trx: Kysely<Database>, subjects: readonly RequestSubjectInsert[]): Promise<void> {
  if (subjects.length === 0) return;
  await sql`insert into request_subject (request_id, organization_id, occurred_at, salt, end_user, address, metadata, end_user_alias)
    select request_id, organization_id, occurred_at, salt, end_user, address, metadata::jsonb, end_user_alias
    from unnest(${plainArray(subjects.map((subject) => subject.requestId))}::uuid[],
      ${plainArray(subjects.map((subject) => subject.organizationId))}::uuid[],
      ${plainArray(subjects.map((subject) => subject.occurredAt.toISOString()))}::timestamptz[],
      ${byteaArray(subjects.map((subject) => subject.salt))}::bytea[],
      ${subjects.map((subject) => subject.endUser)}::text[],
      ${subjects.map((subject) => subject.address)}::text[],
      ${subjects.map((subject) => (subject.metadata === null ? null : JSON.stringify(subject.metadata)))}::text[],
      ${subjects.map((subject) => subject.endUserAlias)}::text[])
      as new (request_id, organization_id, occurred_at, salt, end_user, address, metadata, end_user_alias)
    on conflict do nothing`.execute(trx);
}

/** Latest month with a partition of its own; a time beyond it is a fault of the producer, not a month of the books. */
const lastYear = 2199;

/** Whether an instant can be booked: from 1970 until the end of 2199, so that no garbage can make partitions without end. */
export function isBookable(timeMs: number): boolean {
  return timeMs >= 0 && timeMs < Date.UTC(lastYear + 1, 0);
}

export type PartitionKeeper = {
  /** Makes the month partitions of these instants where they are missing. Each month costs one statement a process. */
  readonly ensure: (timesMs: Iterable<number>) => Promise<void>;
};

/** Keeps the ledger's month partitions. What it remembers is bounded by the months that are bookable (2,760). */
export function createPartitionKeeper(db: Kysely<Database>): PartitionKeeper {
  const known = new Set<number>();
  /** Instants of one batch lie in one month almost always: the month of the last one is remembered by its bounds. */
  let lastStartMs = 0;
  let lastEndMs = 0;
  return {
    ensure: async (timesMs) => {
      for (const timeMs of timesMs) {
        if (timeMs >= lastStartMs && timeMs < lastEndMs) continue;
        const time = new Date(timeMs);
        const startMs = Date.UTC(time.getUTCFullYear(), time.getUTCMonth());
        if (!known.has(startMs)) {
          await sql`select ensure_ledger_partition(${new Date(startMs)})`.execute(db);
          known.add(startMs);
        }
        lastStartMs = startMs;
        lastEndMs = Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1);
      }
    },
  };
}
