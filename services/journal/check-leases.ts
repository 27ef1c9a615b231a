import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';

/** Something that is wrong with a budget's counter: which of the rules of migrations/0016_lease_check.sql it breaks, and its figures. */
export interface LeaseFinding {
  readonly kind: 'identity' | 'committed' | 'cap' | 'log' | 'entry';
  /** uuid */
  readonly counter_id: string;
  /** Amounts as decimal text, in the unit of the counter's limit. */
  readonly found: Readonly<Record<string, string | number>>;
}

/** More are not worth reading. */
export const MOST_LEASE_FINDINGS = 100;

/**
 * Computes from the leases and what was posted on them what every counter has to be (reference/leases.md section 2), at one moment.
 * @param options.withLog also adds up the log of all changes, which takes as long as there is history.
 * @returns the first findings; none where all is well.
 */
export async function checkLeases(db: Kysely<Database>, options: { readonly withLog: boolean }): Promise<readonly LeaseFinding[]> {
  const { rows } = await sql<LeaseFinding>`
    select kind, counter_id, found from lease_check(${options.withLog}) order by counter_id, kind limit ${MOST_LEASE_FINDINGS}`.execute(db);
  return rows;
}
