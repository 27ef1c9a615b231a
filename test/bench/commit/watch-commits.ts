import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';

/** How far each partition's committed entries went, as somebody saw it who looked. */
export type Look = { readonly atMs: number; readonly nextOffsets: ReadonlyMap<number, bigint> };

/**
 * Looks again and again where the ledger stands, from outside and after its commits, the disk's sync included. What a look does not
 * show yet is committed later than it began; the next one that shows it is an upper bound, off by `everyMs` and the look itself.
 */
export function watchCommits(books: Kysely<Database>, everyMs = 5): { readonly stop: () => Promise<readonly Look[]> } {
  const looks: Look[] = [];
  let stopping = false;
  const run = async (): Promise<void> => {
    while (!stopping) {
      const { rows } = await sql<{
        partition: number;
        next_offset: bigint;
      }>`select partition, next_offset from log_offsets`.execute(books);
      looks.push({ atMs: Date.now(), nextOffsets: new Map(rows.map((row) => [row.partition, row.next_offset])) });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping = true;
      await ended;
      return looks;
    },
  };
}

/** When a record of the log was seen to be committed first, or null where it never was. */
export function committedAtMs(looks: readonly Look[], partition: number, offset: bigint): number | null {
  let [from, to] = [0, looks.length];
  // Offsets only rise: the first look that is beyond it.
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((looks[middle]?.nextOffsets.get(partition) ?? 0n) > offset) to = middle;
    else from = middle + 1;
  }
  return looks[from]?.atMs ?? null;
}
