/** What a process tells of its share of one limit for one group. */
export interface ToldShare {
  /** uuid of the limit. */
  readonly limit: string;
  readonly group: string;
  /** What it keeps of its share: only its owner lowers one. */
  readonly keep: bigint;
  readonly used: bigint;
  /** What its requests would have used lately, had there been room. */
  readonly want: bigint;
  /** The largest single request that found no room. */
  readonly need: bigint;
  /** What it would have where nobody else wants it: beyond `want`, so that not each further request has to ask. */
  readonly ask: bigint;
}

/** One word with the database. A later one overtakes it: neither a late execution nor a late answer of it counts then. */
export interface ShareMessage {
  readonly sequence: number;
  readonly sentAt: number;
  /**
   * Nothing was heard yet: it tells of nothing, and is answered with what an earlier boot of this proxy left. Told of before that, a share would begin as
   * unused.
   */
  readonly isFirst: boolean;
  /** The last of this process: what it still says it has is given away once no request can have used it lately. */
  readonly leaving: boolean;
  readonly items: readonly ToldShare[];
}

/** How a share stands, also of such that were not told of: where others are short, or an earlier boot of this proxy left one. */
export interface AnsweredShare {
  readonly limit: string;
  readonly group: string;
  readonly share: bigint;
  /** Shares of all others together; null where it was not told of. */
  readonly others: bigint | null;
  /** Of the limit; null: it is no more. */
  readonly amount: bigint | null;
  /** To what the share should come down, since others are short; null: they are not. */
  readonly recall: bigint | null;
  readonly periodMs: number | null;
}

export interface ShareAnswer {
  /** stale: it was overtaken, and nothing was done. */
  readonly status: 'told' | 'stale';
  readonly items: readonly AnsweredShare[];
}
