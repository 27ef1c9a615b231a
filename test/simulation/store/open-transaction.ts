import type { Timers } from '../../../services/eventlog/timers.ts';
import type { PostedHold } from '../../leases/mirror/lease-post.ts';
import { lease_post } from '../../leases/mirror/lease-post.ts';
import type { Books, PlacedItem } from './books.ts';
import { connectionLost, databaseError } from './database-errors.ts';
import { Draft } from './draft.ts';
import type { LockTable } from './lock-table.ts';

/** The product's `statement_timeout`: how long a statement waits for a lock. */
const statementTimeoutMs = 10_000;

/**
 * What a transaction has written and not committed. It reads what is committed at the moment of each statement, under its own
 * writes (READ COMMITTED), and holds the lock of every row it writes.
 */
export interface OpenTransaction {
  readonly books: Books;
  readonly topics: Draft<number>;
  readonly offsets: Draft<MapValue<Books['offsets']>>;
  readonly entries: Draft<MapValue<Books['entries']>>;
  readonly subjects: Draft<MapValue<Books['subjects']>>;
  readonly rollups: Readonly<Record<keyof Books['rollups'], Draft<MapValue<Books['rollups']['minute']>>>>;
  readonly deadLetters: Draft<MapValue<Books['deadLetters']>>;
  readonly waiting: Draft<MapValue<Books['waiting']>>;
  readonly placed: Draft<PlacedItem>;
  /** Positions given, in their order. */
  readonly journal: PlacedItem[];
  /** Debits of leases, last of all. */
  readonly holds: PostedHold[];
  /** Whether the commit wakes who listens. */
  wakesReaders: boolean;
  /** Takes a row's lock; no promise where there is nothing to wait for. @throws 40P01, 57014, or what ends the connection. */
  lock(key: string): Promise<void> | undefined;
  /** Ends a wait for a lock. */
  interrupt(error: Error): void;
  commit(): void;
  rollback(): void;
}

type MapValue<Table> = Table extends Map<string, infer Row> ? Row : never;

export function openTransaction(books: Books, locks: LockTable, timers: Timers): OpenTransaction {
  const rollups = { minute: new Draft(books.rollups.minute), hour: new Draft(books.rollups.hour), day: new Draft(books.rollups.day) };
  let ended = false;
  const owner: OpenTransaction = {
    books,
    topics: new Draft(books.topics),
    offsets: new Draft(books.offsets),
    entries: new Draft(books.entries),
    subjects: new Draft(books.subjects),
    rollups,
    deadLetters: new Draft(books.deadLetters),
    waiting: new Draft(books.waiting),
    placed: new Draft(books.placed),
    journal: [],
    holds: [],
    wakesReaders: false,
    lock: (key) => {
      // A statement may go on for a moment behind the end of its session; what it took then, nobody would give back.
      if (ended) throw connectionLost();
      const wait = locks.acquire(owner, key);
      if (wait === undefined) return undefined;
      const cancel = timers.after(statementTimeoutMs, () =>
        locks.interrupt(owner, databaseError('57014', 'canceling statement due to statement timeout')),
      );
      return wait.finally(cancel);
    },
    interrupt: (error) => locks.interrupt(owner, error),
    commit: () => {
      ended = true;
      const { topics, offsets, entries, subjects, deadLetters, waiting, placed } = owner;
      for (const draft of [topics, offsets, entries, subjects, rollups.minute, rollups.hour, rollups.day, deadLetters, waiting, placed]) {
        draft.apply();
      }
      for (const item of owner.journal) {
        const journal = books.journals.get(item.organizationId);
        if (journal === undefined) books.journals.set(item.organizationId, [item]);
        else journal.push(item);
      }
      lease_post(books.leases, owner.holds);
      locks.releaseAll(owner);
    },
    rollback: () => {
      ended = true;
      locks.releaseAll(owner);
    },
  };
  return owner;
}
