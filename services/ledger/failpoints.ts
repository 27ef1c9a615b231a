import { machineDisk } from '../eventlog/disk.ts';
import type { EventLogConsumer } from '../eventlog/event-log.ts';
import { createFailpointConsumer, createFailpointKafka } from '../eventlog/failpoints/failpoint-consumer.ts';
import { createJournalFailpointDisk } from '../eventlog/failpoints/failpoint-disk.ts';
import type { EventLogSeams } from '../eventlog/open-event-log.ts';
import type { PassFailpoint } from '../runtime/failpoints/failpoints.ts';
import type { DeadLetterStore } from './store/dead-letter-store.ts';
import type { LedgerStore, LedgerTransaction } from './store/ledger-store.ts';
import type { SequencerSession, SequencerStore } from './store/sequencer-store.ts';

/** The seams of a ledger as it is put together: themselves, or decorated with failpoints. */
export interface LedgerSeams {
  readonly eventLog: EventLogSeams;
  consumer(consumer: EventLogConsumer): EventLogConsumer;
  books(store: LedgerStore): LedgerStore;
  sequencer(store: SequencerStore): SequencerStore;
  letters(store: DeadLetterStore): DeadLetterStore;
}

/** @param pass null: every seam is what it is. */
export function createLedgerSeams(pass: PassFailpoint | null): LedgerSeams {
  if (pass === null) {
    return {
      eventLog: {},
      consumer: (consumer) => consumer,
      books: (store) => store,
      sequencer: (store) => store,
      letters: (store) => store,
    };
  }
  return {
    eventLog: { disk: createJournalFailpointDisk(machineDisk, pass), kafka: (client) => createFailpointKafka(client, pass) },
    consumer: (consumer) => createFailpointConsumer(consumer, pass),
    books: (store) => createFailpointStore(store, pass),
    sequencer: (store) => createFailpointSequencerStore(store, pass),
    letters: (store) => ({
      ...store,
      settle: async (letter, judge) => {
        pass('ledger.redrive.settle');
        const fate = await store.settle(letter, judge);
        pass('ledger.redrive.settled');
        return fate;
      },
    }),
  };
}

function createFailpointStore(store: LedgerStore, pass: PassFailpoint): LedgerStore {
  return {
    ...store,
    takeOverPartition: async (claim) => {
      pass('ledger.partition.take-over');
      const tenure = await store.takeOverPartition(claim);
      pass('ledger.partition.taken-over');
      return tenure;
    },
    ensureRoom: async (timesMs) => {
      pass('ledger.books.make-room');
      await store.ensureRoom(timesMs);
    },
    transaction: async (work) => {
      pass('ledger.books.begin');
      const result = await store.transaction((books) => work(createFailpointTransaction(books, pass)));
      pass('ledger.books.committed');
      return result;
    },
  };
}

function createFailpointTransaction(books: LedgerTransaction, pass: PassFailpoint): LedgerTransaction {
  return {
    ...books,
    lockOffsets: async (topic, partitions) => {
      const tenures = await books.lockOffsets(topic, partitions);
      pass('ledger.books.locked');
      return tenures;
    },
    insertEntries: async (entries) => {
      const added = await books.insertEntries(entries);
      pass('ledger.books.entries');
      return added;
    },
    insertSubjects: async (subjects) => {
      await books.insertSubjects(subjects);
      if (subjects.length > 0) pass('ledger.books.subjects');
    },
    addRollups: async (rollups) => {
      await books.addRollups(rollups);
      pass('ledger.books.rollups');
    },
    insertDeadLetters: async (letters) => {
      await books.insertDeadLetters(letters);
      if (letters.length > 0) pass('ledger.books.dead-letters');
    },
    advanceOffsets: async (topic, advances, nowMs) => {
      const moved = await books.advanceOffsets(topic, advances, nowMs);
      pass('ledger.books.offsets');
      return moved;
    },
  };
}

function createFailpointSequencerStore(store: SequencerStore, pass: PassFailpoint): SequencerStore {
  return { session: (work) => store.session((session) => work(createFailpointSession(session, pass))) };
}

function createFailpointSession(session: SequencerSession, pass: PassFailpoint): SequencerSession {
  return {
    ...session,
    tryToLead: async () => {
      const leads = await session.tryToLead();
      if (leads) pass('ledger.sequencer.led');
      return leads;
    },
    transaction: async (work) => {
      const result = await session.transaction((transaction) =>
        work({
          placeOldest: async (limit) => {
            const round = await transaction.placeOldest(limit);
            // A round that finds nothing to do has no boundary worth dying at.
            if (round.sequenced > 0) pass('ledger.sequencer.placed');
            return round;
          },
          wakeReaders: async () => {
            await transaction.wakeReaders();
            pass('ledger.sequencer.notified');
          },
        }),
      );
      pass('ledger.sequencer.committed');
      return result;
    },
  };
}
