import type { LedgerStore, LedgerTransaction } from '../../../services/ledger/store/ledger-store.ts';
import { monthOf } from './books.ts';
import { inTransaction } from './in-transaction.ts';
import * as statements from './ledger-statements.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { SessionPool } from './session-pool.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';
import type { StoreStatement } from './store-faults.ts';

/** The ledger's port over sessions of a simulated server: the twin of `createPostgresLedgerStore`. */
export function createSimulatedLedgerStore(server: SimulatedPostgres, pool: SessionPool): LedgerStore {
  const { wire } = pool;
  const months = new Set<number>();
  const alone = <Result>(statement: StoreStatement, act: (trx: OpenTransaction) => Result | Promise<Result>): Promise<Result> =>
    pool.use((session) => wire(statement, () => session.run(statement, act)));
  return {
    recordPartitions: (topic, partitions) => alone('record_partitions', (trx) => statements.recordPartitions(trx, topic, partitions)),
    takeOverPartition: (claim) => alone('take_over', (trx) => statements.takeOver(trx, claim)),
    readPriceSheets: (versions) =>
      alone('read_price_sheets', ({ books }) =>
        versions.flatMap((version) => (books.priceSheets.has(version) ? [{ version, sheet: books.priceSheets.get(version) }] : [])),
      ),
    ensureRoom: async (timesMs) => {
      for (const timeMs of timesMs) {
        const month = monthOf(timeMs);
        if (months.has(month)) continue;
        await alone('ensure_room', ({ books }) => books.months.add(month));
        months.add(month);
      }
    },
    transaction: (work) =>
      pool.use((session) => {
        const send: Run = (statement, act) => wire(statement, () => session.run(statement, act));
        return inTransaction(wire, session, () => inOrder(send, (run) => work(ledgerTransaction(server, run))));
      }),
  };
}

type Run = <Result>(statement: StoreStatement, act: (trx: OpenTransaction) => Result | Promise<Result>) => Promise<Result>;

/** As a connection does it: what was asked for earlier is done earlier, and what was asked for is answered before anything else is. */
async function inOrder<Result>(send: Run, work: (run: Run) => Promise<Result>): Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  const run: Run = (statement, act) => {
    const answer = last.then(() => send(statement, act));
    last = answer.catch(() => {});
    return answer;
  };
  try {
    return await work(run);
  } finally {
    await last;
  }
}

function ledgerTransaction(server: SimulatedPostgres, run: Run): LedgerTransaction {
  return {
    lockOffsets: (topic, partitions) => run('lock_offsets', (trx) => statements.lockOffsets(trx, topic, partitions)),
    insertEntries: async (entries) => {
      if (entries.length === 0) return new Set();
      const { constraints, nextOrder } = server;
      return run('insert_entries', (trx) => statements.insertEntries(trx, entries, { now: server.now(), constraints, nextOrder }));
    },
    readBodyHashes: (keys) => run('read_body_hashes', (trx) => statements.readBodyHashes(trx, keys)),
    insertDeadLetters: async (letters) => {
      if (letters.length > 0) await run('insert_dead_letters', (trx) => statements.insertDeadLetters(trx, letters));
    },
    insertSubjects: async (subjects) => {
      if (subjects.length > 0) await run('insert_subjects', (trx) => statements.insertSubjects(trx, subjects));
    },
    readActivatedTags: (organizations) =>
      run('read_tags', ({ books }) => {
        const tags = organizations.flatMap((organization) => {
          const keys = books.activatedTags.get(organization);
          return keys === undefined ? [] : [[organization, [...keys]] as const];
        });
        return new Map(tags);
      }),
    addRollups: (rollups) => run('add_rollups', (trx) => statements.addRollups(trx, rollups)),
    postHolds: (holds) => run('post_holds', (trx) => statements.postHolds(trx, holds)),
    advanceOffsets: (topic, advances) => run('advance_offsets', (trx) => statements.advanceOffsets(trx, topic, advances)),
  };
}
