import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import type { Look } from './watch-commits.ts';
import { committedAtMs } from './watch-commits.ts';

/** Of one request, in milliseconds; all clocks are this machine's. */
export type CommitTime = {
  /** From the last byte of the answer at the client to the moment its entry was written, in a transaction that is still open. */
  readonly toRowMs: number;
  /** From there until somebody else sees it committed. */
  readonly toCommitMs: number;
};

/** @returns the times, and how many of the answers have no committed entry. */
export async function commitTimes(
  books: Kysely<Database>,
  answers: readonly (readonly [requestId: string, endedAtMs: number])[],
  looks: readonly Look[],
): Promise<{ readonly times: readonly CommitTime[]; readonly missing: number }> {
  const { rows } = await sql<{ entry_id: string; log_partition: number; log_offset: bigint; recorded_ms: number }>`
    select entry_id, log_partition, log_offset, (extract(epoch from recorded_at) * 1000)::double precision as recorded_ms
    from ledger_entries where recorded_at >= to_timestamp(${(looks[0]?.atMs ?? 0) / 1_000})`.execute(books);
  const entries = new Map(rows.map((row) => [row.entry_id, row]));
  const times: CommitTime[] = [];
  for (const [requestId, endedAtMs] of answers) {
    const entry = entries.get(uuidFromId('request', requestId) ?? '');
    const atMs = entry === undefined ? null : committedAtMs(looks, entry.log_partition, entry.log_offset);
    if (entry !== undefined && atMs !== null) times.push({ toRowMs: entry.recorded_ms - endedAtMs, toCommitMs: atMs - entry.recorded_ms });
  }
  return { times, missing: answers.length - times.length };
}
