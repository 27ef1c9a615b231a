import type { JournalFeed } from '../../../../../services/api/live/journal-feed.ts';
import type { RollupGrain } from '../../../../../services/ledger/rollups.ts';
import type { LedgerStore } from '../../../../../services/ledger/store/ledger-store.ts';
import type { SequencerStore } from '../../../../../services/ledger/store/sequencer-store.ts';

/** The stores of one process. */
export interface ProcessStores {
  readonly ledger: LedgerStore;
  readonly sequencer: SequencerStore;
  readonly feed: JournalFeed;
  /** The next answer of the server to this process is lost with its connection, though the server did what was asked. */
  readonly loseNextAnswer: () => void;
  /** Ends every connection of this process, from the server's side. */
  readonly endConnections: () => Promise<void>;
}

/** A database of one test's own, as the conformance suite needs it from PostgreSQL and from its twin. */
export interface StoreWorld {
  readonly connect: () => Promise<ProcessStores>;
  /** Stores `testSheet` under its version. */
  readonly addTestPrice: () => Promise<void>;
  /** Makes an organization (uuid) with activated tag keys. */
  readonly activateTags: (organizationId: string, tagKeys: readonly string[]) => Promise<void>;
  /** Commits an audit event of an organization (uuid). @returns its uuid. */
  readonly addAudit: (organizationId: string, action: string) => Promise<string>;
  /** How many transactions wait for another's lock. */
  readonly blocked: () => Promise<number>;
  /** Everything that is committed. */
  readonly look: () => Promise<Committed>;
  readonly close: () => Promise<void>;
}

/** The rule that every world of the suite has beside the product's own: no entry has this error code. */
export const poison = { errorCode: 'poison', constraint: 'no_poison' } as const;

export interface Committed {
  /** By (partition, offset). */
  readonly entries: readonly { readonly id: string; readonly partition: number; readonly offset: bigint; readonly hash: string }[];
  readonly deadLetters: readonly {
    readonly partition: number;
    readonly offset: bigint;
    readonly reason: string;
    readonly detail: string;
  }[];
  readonly subjects: readonly string[];
  /** By partition. */
  readonly offsets: readonly { readonly partition: number; readonly owner: string; readonly epoch: bigint; readonly nextOffset: bigint }[];
  /** Sums over all rows. */
  readonly rollups: Readonly<
    Record<RollupGrain, { readonly rows: number; readonly requests: bigint; readonly cost: bigint; readonly input: bigint | null }>
  >;
  /** Items without a position. */
  readonly waiting: number;
  /** By organization and position. */
  readonly journal: readonly { readonly organizationId: string; readonly position: bigint; readonly id: string; readonly kind: string }[];
}
