import type { LedgerStore } from '../../../services/ledger/store/ledger-store.ts';

/** Stands next to the database: told who asks it to move a partition's offset, and where to. */
export type OnAdvance = (partition: number, nextOffset: bigint, owner: string) => void;

export function witnessStore(store: LedgerStore, owner: string, onAdvance: OnAdvance): LedgerStore {
  return {
    ...store,
    transaction: (work) =>
      store.transaction((books) =>
        work({
          ...books,
          advanceOffsets: (topic, advances, nowMs) => {
            for (const { partition, nextOffset } of advances) onAdvance(partition, nextOffset, owner);
            return books.advanceOffsets(topic, advances, nowMs);
          },
        }),
      ),
  };
}
