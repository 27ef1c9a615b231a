import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';

/** A key that a request asks for. Ids are uuids. */
export interface WantedKey {
  readonly organization: string;
  readonly keyHash: Buffer;
  readonly bodyHash: Buffer;
  readonly request: string;
}

/** Why a request under a key, which may have been charged, has no answer to be repeated. */
export type NotKept =
  /** Larger than what is kept. */
  | 'too_large'
  /** The proxy held too many answers at that moment, or the organization's part of the database is full. */
  | 'no_room'
  | 'store_full'
  /** The application left, and the answer was not read to its end. */
  | 'cut'
  /** It could not be settled or sealed. */
  | 'failed'
  /** Its day ended while it was read. */
  | 'expired';

/** What became of asking for a key; `original`: uuid of the request that has it. */
export type ClaimAnswer =
  | { readonly outcome: 'claimed' | 'full' }
  /** Another body; the original still runs; or the proxy that ran it ended before it said how it went. */
  | { readonly outcome: 'conflict' | 'running' | 'abandoned'; readonly original: string }
  | { readonly outcome: 'not_kept'; readonly original: string; readonly cause: string }
  | { readonly outcome: 'kept'; readonly original: string; readonly answer: Buffer };

/** How the request of a claim ended: `released` = at no cost for certain, and the key is free again. */
export type ClaimEnding =
  | { readonly kind: 'released' }
  | { readonly kind: 'not_kept'; readonly cause: NotKept }
  | { readonly kind: 'kept'; readonly sealed: Buffer };

/** The keys of all proxies (migrations/0022_keyed_requests.sql), in the name of one boot of one of them. Each call is one round trip. */
export interface KeyedRequests {
  claim(wanted: WantedKey): Promise<ClaimAnswer>;
  /** Says how a claim ended; nothing happens when that is known, or the key another's by now. */
  end(claimed: WantedKey, ending: ClaimEnding): Promise<void>;
}

type ClaimRow = {
  readonly outcome: ClaimAnswer['outcome'];
  readonly original: string | null;
  readonly original_cause: string | null;
  readonly original_answer: Buffer | null;
};

/**
 * @param db connections in role `writer`, whose statements time out.
 * @param node uuid of the proxy.
 */
export function createKeyedRequests(db: Kysely<Database>, node: string, epoch: number): KeyedRequests {
  return {
    claim: async ({ organization, keyHash, bodyHash, request }) => {
      const { rows } = await sql<ClaimRow>`
        select * from keyed_request_claim(${organization}, ${keyHash}, ${bodyHash}, ${request}, ${node}, ${epoch})`.execute(db);
      const [row] = rows;
      if (row === undefined) throw new Error('keyed_request_claim did not answer');
      const { outcome, original, original_cause: cause, original_answer: answer } = row;
      if (outcome === 'claimed' || outcome === 'full') return { outcome };
      if (original === null) throw new Error('keyed_request_claim named no original');
      if (outcome === 'kept') {
        if (answer === null) throw new Error('keyed_request_claim gave no answer');
        return { outcome, original, answer };
      }
      return outcome === 'not_kept' ? { outcome, original, cause: cause ?? 'failed' } : { outcome, original };
    },
    end: async ({ organization, keyHash, request }, ending) => {
      const sealed = ending.kind === 'kept' ? ending.sealed : null;
      const cause = ending.kind === 'not_kept' ? ending.cause : null;
      await sql`select keyed_request_end(${organization}, ${keyHash}, ${request}, ${sealed}, ${cause})`.execute(db);
    },
  };
}
