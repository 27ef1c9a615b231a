import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { LookAtLimits } from './watched-limits.ts';

/** @param db connections in role `writer`, whose statements time out. */
export function createLookAtLimits(db: Kysely<Database>): LookAtLimits {
  return async (places) => {
    const { rows } = await sql<{ readonly item: bigint; readonly amount: bigint; readonly settled: bigint }>`
      select * from budget_look(${places.map(({ limit }) => limit)}::uuid[], ${places.map(({ group }) => group)}::text[])`.execute(db);
    const byItem = new Map(rows.map(({ item, amount, settled }) => [Number(item), { amount, settled }]));
    return places.map((_place, index) => byItem.get(index + 1) ?? null);
  };
}
