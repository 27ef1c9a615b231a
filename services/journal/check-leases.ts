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

const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Counters of one statement: a few tenths of a second. */
const PAGE_COUNTERS = 10_000;

/**
 * Computes from the leases and what was posted on them what every counter has to be (reference/leases.md section 2), at one moment.
 * @param options.withLog also adds up the log of all changes, which takes as long as there is history.
 * @returns the first findings; none where all is well.
 */
export function checkLeases(db: Kysely<Database>, options: { readonly withLog: boolean }): Promise<readonly LeaseFinding[]> {
  return findingsBetween(db, options.withLog, FIRST, LAST);
}

/**
 * The same without the log, some counters at a time, each at a moment of its own: no statement is long, however many counters there ever were.
 * @param signal ends it early, with what was found until then.
 */
export async function checkLeasesInParts(
  db: Kysely<Database>,
  signal: AbortSignal,
  partCounters = PAGE_COUNTERS,
): Promise<readonly LeaseFinding[]> {
  const findings: LeaseFinding[] = [];
  let above = FIRST;
  while (above !== LAST && !signal.aborted && findings.length < MOST_LEASE_FINDINGS) {
    const upto = await lastOfPart(db, above, partCounters);
    findings.push(...(await findingsBetween(db, false, above, upto)));
    above = upto;
  }
  return findings;
}

async function findingsBetween(db: Kysely<Database>, withLog: boolean, above: string, upto: string): Promise<readonly LeaseFinding[]> {
  const { rows } = await sql<LeaseFinding>`
    select kind, counter_id, found from lease_check(${withLog}, ${above}::uuid, ${upto}::uuid)
    order by counter_id, kind limit ${MOST_LEASE_FINDINGS}`.execute(db);
  return rows;
}

async function lastOfPart(db: Kysely<Database>, above: string, partCounters: number): Promise<string> {
  const row = await db
    .selectFrom('budget_counters')
    .select('id')
    .where('id', '>', above)
    .orderBy('id')
    .offset(partCounters - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? LAST;
}
