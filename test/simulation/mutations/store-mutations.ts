import type { LedgerStore, LedgerTransaction, OffsetAdvance } from '../../../services/ledger/store/ledger-store.ts';
import type { Life } from '../life.ts';
import type { Tampering } from './tampering.ts';

function withLedgerStore(change: (store: LedgerStore, life: Life) => LedgerStore): Tampering {
  return { stores: (stores, { life }) => ({ ...stores, ledgerStore: change(stores.ledgerStore, life) }) };
}

function withTransaction(change: (books: LedgerTransaction, life: Life) => LedgerTransaction): Tampering {
  return withLedgerStore((store, life) => ({
    ...store,
    transaction: (work) => store.transaction((books) => work(change(books, life))),
  }));
}

/** The offsets follow in a transaction of their own, a moment behind the entries. */
export const offsetCommittedApart = withLedgerStore((store) => ({
  ...store,
  transaction: async (work) => {
    let moved: { readonly topic: string; readonly advances: readonly OffsetAdvance[]; readonly nowMs: number } | null = null;
    const result = await store.transaction((books) =>
      work({
        ...books,
        advanceOffsets: async (topic, advances, nowMs) => {
          moved = { topic, advances, nowMs };
          return advances.length;
        },
      }),
    );
    if (moved !== null) {
      const { topic, advances, nowMs }: { topic: string; advances: readonly OffsetAdvance[]; nowMs: number } = moved;
      await store.transaction((books) => books.advanceOffsets(topic, advances, nowMs));
    }
    return result;
  },
}));

/** Whoever asks gets the same epoch, and any epoch is good enough to write. */
export const missingFencing = withLedgerStore((store) => {
  const real = new Map<number, bigint>();
  return {
    ...store,
    takeOverPartition: async (claim) => ({ ...(await store.takeOverPartition(claim)), epoch: 1n }),
    transaction: (work) =>
      store.transaction((books) =>
        work({
          ...books,
          lockOffsets: async (topic, partitions) => {
            const tenures = await books.lockOffsets(topic, partitions);
            for (const [partition, { epoch }] of tenures) real.set(partition, epoch);
            return new Map([...tenures].map(([partition, tenure]) => [partition, { ...tenure, epoch: 1n }]));
          },
          advanceOffsets: (topic, advances, nowMs) =>
            books.advanceOffsets(
              topic,
              advances.map((advance) => ({ ...advance, epoch: real.get(advance.partition) ?? 1n })),
              nowMs,
            ),
        }),
      ),
  };
});

const WINDOW_MS = 10_000;

/** An id is known for ten seconds; whoever brings it later gets another row. */
export const dedupeByWindow: Tampering = (() => {
  const firstSeen = new Map<string, number>();
  return withTransaction((books, life) => ({
    ...books,
    insertEntries: (entries) =>
      books.insertEntries(
        entries.map((entry) => {
          const now = life.clock.monotonic();
          const seen = firstSeen.get(entry.entry_id) ?? now;
          firstSeen.set(entry.entry_id, seen);
          return Math.abs(now - seen) > WINDOW_MS ? { ...entry, occurred_at: new Date(entry.occurred_at.getTime() + 1) } : entry;
        }),
      ),
  }));
})();

/** What cannot be booked is forgotten. */
export const poisonDropped = withTransaction((books) => ({ ...books, insertDeadLetters: async () => {} }));

/** A transaction whose end nobody heard of counts as done. */
export const unknownCommitTakenForDone = withLedgerStore((store) => ({
  ...store,
  transaction: async (work) => {
    const done: Awaited<ReturnType<typeof work>>[] = [];
    try {
      return await store.transaction(async (books) => {
        const result = await work(books);
        done.push(result);
        return result;
      });
    } catch (error) {
      const [result] = done;
      if (result === undefined) throw error;
      return result;
    }
  },
}));

/** The tail counts entries as they were added, and not as they were placed. */
export const cursorByInsertion: Tampering = {
  stores: (stores, { server }) => {
    const added = (organizationId: string) =>
      [...server.books.entries.values()].filter(({ entry }) => entry.organization_id === organizationId);
    return {
      ...stores,
      journalFeed: {
        ...stores.journalFeed,
        of: (organizationId, signal) => {
          const pages = stores.journalFeed.of(organizationId, signal);
          return {
            ...pages,
            head: async () => BigInt(added(organizationId).length) - 1n,
            page: async (after, limit) => {
              await pages.head();
              const from = Number(after) + 1;
              return added(organizationId)
                .slice(from, from + limit)
                .map(({ entry, recordedAt }, place) => {
                  const { body: _body, body_hash: _hash, log_partition: _partition, log_offset: _offset, ...row } = entry;
                  return {
                    position: BigInt(from + place),
                    sequencedAt: recordedAt,
                    usage: { ...row, recorded_at: recordedAt },
                    audit: null,
                    alert: null,
                  };
                });
            },
          };
        },
      },
    };
  },
};
