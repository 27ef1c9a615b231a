import type { JournalFeed } from '../../../services/api/live/journal-feed.ts';
import type { Timers } from '../../../services/eventlog/timers.ts';
import type { LedgerStore } from '../../../services/ledger/store/ledger-store.ts';
import type { SequencerStore } from '../../../services/ledger/store/sequencer-store.ts';
import type { LeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { createSimulatedLeaseDatabase } from '../leases/simulated-lease-database.ts';
import type { ServerSession } from './server-session.ts';
import type { SessionPool, Wire } from './session-pool.ts';
import { createSessionPool } from './session-pool.ts';
import { createSimulatedJournalFeed } from './simulated-journal-feed.ts';
import { createSimulatedLedgerStore } from './simulated-ledger-store.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';
import { createSimulatedSequencerStore } from './simulated-sequencer-store.ts';

/** The stores of one process, over connections of its own. */
export interface SimulatedStores {
  readonly ledgerStore: LedgerStore;
  readonly sequencerStore: SequencerStore;
  readonly journalFeed: JournalFeed;
  readonly leaseDatabase: (node: string, incarnation: string) => LeaseDatabase;
  /** The process is dead and its sockets are closed: what the server was asked for last is still done, a COMMIT among it. */
  abandon(): void;
}

export interface ConnectOptions {
  readonly server: SimulatedPostgres;
  /** Names the process to the faults. */
  readonly client: string;
  /** The process's own, where its listener waits before it connects anew. */
  readonly timers: Timers;
  readonly wire?: Wire;
}

export function connectSimulatedStores(options: ConnectOptions): SimulatedStores {
  const { server, client, timers, wire = (_statement, act) => act() } = options;
  const opened = new Set<ServerSession>();
  let stopListening = (): void => {};

  const pool = (idleTimeoutMs?: number): SessionPool =>
    createSessionPool({ wire, opened, open: () => server.openSession(client, idleTimeoutMs) });

  return {
    ledgerStore: createSimulatedLedgerStore(server, pool()),
    sequencerStore: createSimulatedSequencerStore(server, pool(10_000)),
    leaseDatabase: (node, incarnation) => createSimulatedLeaseDatabase(server, pool(), node, incarnation),
    journalFeed: createSimulatedJournalFeed({
      server,
      client,
      pool: pool(),
      timers,
      onListening: (stop) => {
        stopListening = stop;
      },
    }),
    abandon: () => {
      stopListening();
      for (const session of opened) session.abandon();
      opened.clear();
    },
  };
}
