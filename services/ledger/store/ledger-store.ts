import type { RequestSubjectInsert } from '../../journal/append-entries.ts';
import type { LedgerEntryInsert } from '../../journal/entry-columns.ts';
import type { ActivatedTags, RollupGrain, RollupRow } from '../rollups.ts';

/**
 * Where the books are kept, in terms of what posting needs. It keeps and locks; what is a duplicate, what is an id used twice,
 * which rows an entry adds to and what becomes a dead letter is decided above it. Two implementations pass one conformance
 * suite: PostgreSQL, and the twin of the simulation.
 *
 * Errors are those of PostgreSQL, and {@link RangeError} for a value that its column's type cannot hold (`failures.ts` sorts them).
 * An error of `transaction` may come after the commit: nothing is known then, and whoever runs the work again finds what was done
 * under the lock.
 */
export interface LedgerStore {
  /** Records how many partitions a topic has, at first sight only. @returns the number on record. */
  recordPartitions(topic: string, partitions: number): Promise<number>;
  /**
   * Makes `owner` the partition's owner under the next epoch: from here on batches under an older one find another epoch. It
   * waits for a transaction that holds the partition's offset. A partition seen for the first time begins at 0.
   */
  takeOverPartition(claim: PartitionClaim): Promise<Tenure>;
  /** The sheets there are of these price versions, as they are stored. */
  readPriceSheets(versions: readonly string[]): Promise<readonly StoredPriceSheet[]>;
  /** Makes room for entries of these instants (epoch milliseconds), before any transaction that inserts them. */
  ensureRoom(timesMs: Iterable<number>): Promise<void>;
  /**
   * Runs `work` in one transaction, which commits when it resolves and leaves nothing behind when it rejects. The server ends
   * one that takes longer than 15 s, so that a frozen owner does not keep its offsets locked.
   */
  transaction<Result>(work: (transaction: LedgerTransaction) => Promise<Result>): Promise<Result>;
}

export interface PartitionClaim {
  readonly topic: string;
  readonly partition: number;
  /** For a person. */
  readonly owner: string;
  readonly nowMs: number;
}

/** A partition as it was taken over: where to go on, and the epoch every batch of it has to name. */
export interface Tenure {
  readonly epoch: bigint;
  readonly nextOffset: bigint;
}

export interface StoredPriceSheet {
  readonly version: string;
  /** Not checked: whoever reads it compares it with its name. */
  readonly sheet: unknown;
}

/**
 * Operations are carried out in the order in which they are asked for; one may be asked for before those before it were answered,
 * which saves the way there and back. After one that rejects, the transaction can only be given up.
 */
export interface LedgerTransaction {
  /** Locks the offsets of these partitions until the end, in partition order, and reads them. Those never taken over are left out. */
  lockOffsets(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, Tenure>>;
  /**
   * Adds entries to the ledger and to the list of what waits for a position, and passes over those whose id is there, whatever
   * it holds; a transaction that adds the same id is waited for.
   * @returns ids of the entries that were added.
   */
  insertEntries(entries: readonly LedgerEntryInsert[]): Promise<ReadonlySet<string>>;
  /** SHA-256 in hex of the bodies kept under these keys, this transaction's included; keys without an entry are left out. */
  readBodyHashes(keys: readonly EntryKey[]): Promise<ReadonlyMap<string, string>>;
  /** A letter of a place in the log that has one stays the first one. */
  insertDeadLetters(letters: readonly DeadLetterInsert[]): Promise<void>;
  /** Personal data that is there already stays as it is. */
  insertSubjects(subjects: readonly RequestSubjectInsert[]): Promise<void>;
  /** Activated tag keys of these organizations (uuid). */
  readActivatedTags(organizations: readonly string[]): Promise<ActivatedTags>;
  /** Adds sums to the stored rows. Rows of each grain are in key order, so that transactions lock them in the same order. */
  addRollups(rollups: Readonly<Record<RollupGrain, readonly RollupRow[]>>): Promise<void>;
  /**
   * Turns what leases hold into what is settled, for entries that this transaction has added (reference/leases.md section 3), and adds what they used of limits
   * that hold nothing: at most once a transaction, as the last thing that it does.
   */
  postHolds(holds: readonly PostedHold[], counts: readonly PostedCount[]): Promise<void>;
  /** Moves offsets that stand below the new one and are still under the epoch. @returns how many. */
  advanceOffsets(topic: string, advances: readonly OffsetAdvance[], nowMs: number): Promise<number>;
}

/** A settled hold of one lease, in its limit's unit. */
export interface PostedHold {
  /** uuid, as the others. */
  readonly organizationId: string;
  readonly counter: string;
  readonly node: string;
  readonly epoch: bigint;
  readonly debit: bigint;
  /** As the ledger has it. */
  readonly cost: bigint;
}

/** What a request used of a limit that holds nothing, in the limit's unit; it counts in the window of the posting. */
export interface PostedCount {
  /** uuid; of a limit that is not this organization's nothing is counted. */
  readonly organizationId: string;
  readonly limit: string;
  readonly group: string;
  /** As the ledger has it. */
  readonly cost: bigint;
}

export interface EntryKey {
  readonly entry_id: string;
  readonly occurred_at: Date;
}

export interface OffsetAdvance {
  readonly partition: number;
  readonly epoch: bigint;
  readonly nextOffset: bigint;
}

/** A record kept because it could not be booked; texts are ones PostgreSQL can store. */
export interface DeadLetterInsert {
  /** uuid. */
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly reason: string;
  readonly detail: string;
  /** uuid, where it is known. */
  readonly organizationId: string | null;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}
