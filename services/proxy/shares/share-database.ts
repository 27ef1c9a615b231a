import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { ShareAnswer, ShareMessage } from './share-protocol.ts';

/** The database half of sharing (migrations/0034_shares.sql), in the name of one boot of one node. */
export interface ShareDatabase {
  tell(message: ShareMessage): Promise<ShareAnswer>;
}

/**
 * @param db connections in role `writer`, whose statements time out.
 * @param node uuid of the proxy.
 */
export function createShareDatabase(db: Kysely<Database>, node: string, epoch: number): ShareDatabase {
  return {
    tell: async ({ sequence, isFirst, leaving, items }) => {
      const { rows } = await sql<ShareRow>`
        select * from share_tell(${node}, ${epoch}, ${sequence}, ${isFirst}, ${leaving}, ${items.map(({ limit }) => limit)}::uuid[],
          ${items.map(({ group }) => group)}::text[], ${items.map(({ keep }) => keep)}::numeric[], ${items.map(({ used }) => used)}::numeric[],
          ${items.map(({ want }) => want)}::numeric[], ${items.map(({ need }) => need)}::numeric[],
          ${items.map(({ ask }) => ask)}::numeric[])`.execute(db);
      return {
        status: rows[0]?.status ?? 'told',
        items: rows.flatMap(({ limit_id: limit, group_key: group, share, others, amount, recall, period_ms: periodMs }) =>
          limit === null || group === null ? [] : [{ limit, group, share: share ?? 0n, others, amount, recall, periodMs }],
        ),
      };
    },
  };
}

interface ShareRow {
  readonly status: ShareAnswer['status'];
  readonly limit_id: string | null;
  readonly group_key: string | null;
  readonly share: bigint | null;
  readonly others: bigint | null;
  readonly amount: bigint | null;
  readonly recall: bigint | null;
  readonly period_ms: number | null;
}
