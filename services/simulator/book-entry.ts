import type { TokenCounts, ToldCounts } from './token-counts.ts';

/** `finished`: sent whole. `refused`: an error was answered. `cut`: broken by the simulator. `cancelled`: the client left first. */
export type BookOutcome = 'finished' | 'refused' | 'cut' | 'cancelled';

/** What the simulator wrote down about one request to a billable endpoint. */
export type BookEntry = {
  /** The id in the answer, or null where none was composed or the answer has none (embeddings). */
  readonly id: string | null;
  /** The `x-request-id` the request came with: the gateway's id. */
  readonly requestId: string | null;
  /** Which credential it came with, see `credentialName`. */
  readonly credential: string;
  readonly model: string;
  readonly endpoint: string;
  readonly stream: boolean;
  /** Null where the connection broke before a status was sent. */
  readonly status: number | null;
  readonly outcome: BookOutcome;
  /** The usage the client was told, or null where it was told none. */
  readonly reported: ToldCounts | null;
  /** The usage that was generated and is billed, or null where nothing was. */
  readonly billed: TokenCounts | null;
};
