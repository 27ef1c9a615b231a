import type { SequencerStore } from '../../../services/ledger/store/sequencer-store.ts';
import { inTransaction } from './in-transaction.ts';
import { placeOldest } from './sequencer-statements.ts';
import type { SessionPool } from './session-pool.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';

/** The sequencer's port over a session of a simulated server: the twin of `createPostgresSequencerStore`. */
export function createSimulatedSequencerStore(server: SimulatedPostgres, pool: SessionPool): SequencerStore {
  const { wire } = pool;
  return {
    session: (work) =>
      pool.use((session) =>
        work({
          tryToLead: () => wire('try_to_lead', () => session.run('try_to_lead', () => server.tryToLead(session))),
          stopLeading: () => wire('stop_leading', () => session.run('stop_leading', () => server.stopLeading(session))),
          transaction: (sequence) =>
            inTransaction(wire, session, () =>
              sequence({
                placeOldest: (limit) =>
                  wire('place_oldest', () => session.run('place_oldest', (trx) => placeOldest(trx, limit, server.now()))),
                wakeReaders: () =>
                  wire('notify', () =>
                    session.run('notify', (trx) => {
                      trx.wakesReaders = true;
                    }),
                  ),
              }),
            ),
        }),
      ),
  };
}
