import type { LeaseStatement } from '../../leases/mirror/mirrored-lease-database.ts';

/** What a simulated server is asked for; each is one answer over one connection. */
export type StoreStatement =
  | 'connect'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'record_partitions'
  | 'take_over'
  | 'read_price_sheets'
  | 'ensure_room'
  | 'lock_offsets'
  | 'insert_entries'
  | 'read_body_hashes'
  | 'insert_dead_letters'
  | 'insert_subjects'
  | 'read_tags'
  | 'add_rollups'
  | 'advance_offsets'
  | 'post_holds'
  | LeaseStatement
  | 'try_to_lead'
  | 'stop_leading'
  | 'place_oldest'
  | 'read_epoch'
  | 'read_head'
  | 'read_page'
  | 'read_audit_page'
  | 'listen'
  | 'notify';

/**
 * What goes wrong with a statement.
 * - `connection_lost`: the request never arrives. The transaction is rolled back, a COMMIT did not happen.
 * - `answer_lost`: the server does it, the answer does not arrive. A COMMIT happened, and its caller does not know.
 * - `cut`: the caller sees the connection end at once, and the server does it `latencyMs` later. A COMMIT is still to happen
 *   when its caller begins anew.
 * - `serialization_failure`: the server refuses it and the transaction (40001); the connection lives.
 */
export type StoreFault = 'connection_lost' | 'answer_lost' | 'cut' | 'serialization_failure';

/** What becomes of one statement. */
export interface StatementFate {
  /** Virtual time until the server does it. */
  readonly latencyMs: number;
  /** Virtual time from there until the answer is back. */
  readonly answerMs: number;
  readonly fault: StoreFault | null;
}

/** Decides, once for each statement, what becomes of it. `client` is the name it connected under. */
export type StoreFaults = (statement: StoreStatement, client: string) => StatementFate;

/** Everything works, at once. */
export const noFaults: StoreFaults = () => ({ latencyMs: 0, answerMs: 0, fault: null });
