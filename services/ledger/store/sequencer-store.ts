/**
 * Where the sequencer finds what waits for a position and puts it, as {@link LedgerStore} is for posting. Its twin in the
 * simulation passes the same conformance suite.
 */
export interface SequencerStore {
  /**
   * Runs `work` on a session of its own. Leadership lives and dies with the session: it ends with the connection, whoever
   * broke it, and a session that is silent for 10 s is ended by the server, so that a frozen leader is followed by another.
   */
  session<Result>(work: (session: SequencerSession) => Promise<Result>): Promise<Result>;
}

export interface SequencerSession {
  /** Whether this session leads from now on; never waits. At most one session of all does. */
  tryToLead(): Promise<boolean>;
  /** Lets another lead, without waiting for this session's end. */
  stopLeading(): Promise<void>;
  /** Runs `work` in one transaction, which commits when it resolves; one that takes longer than 15 s is ended by the server. */
  transaction<Result>(work: (transaction: SequencingTransaction) => Promise<Result>): Promise<Result>;
}

export interface SequencingTransaction {
  /**
   * Takes the first `limit` committed items without a position in (partition, offset, id, kind) order off the list, and
   * numbers them densely within their organization, from its head on. A rival that took the same items at the same moment
   * makes it fail rather than count twice.
   */
  placeOldest(limit: number): Promise<Round>;
  /** Wakes who follows the journal, with the commit. */
  wakeReaders(): Promise<void>;
}

export interface Round {
  /** Items that were given a position. */
  readonly sequenced: number;
  /** Time in the oldest item of the round in epoch milliseconds; null when there was none. */
  readonly oldestMs: number | null;
}
