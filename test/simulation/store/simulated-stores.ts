import type { JournalFeed } from '../../../services/api/live/journal-feed.ts';
import type { Timers } from '../../../services/eventlog/timers.ts';
import type { LedgerStore } from '../../../services/ledger/store/ledger-store.ts';
import type { SequencerStore } from '../../../services/ledger/store/sequencer-store.ts';
import type { ServerSession } from './server-session.ts';
import { createSimulatedJournalFeed } from './simulated-journal-feed.ts';
import { createSimulatedLedgerStore } from './simulated-ledger-store.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';
import { createSimulatedSequencerStore } from './simulated-sequencer-store.ts';
import type { StoreStatement } from './store-faults.ts';

/**
 * Every call over the wire, `connect`, `begin` and `commit` included, goes through this: where a simulation lets a process die
 * before it is sent or before its answer is heard.
 */
export type Wire = <Result>(statement: StoreStatement, act: () => Promise<Result>) => Promise<Result>;

/** The stores of one process, over connections of its own. */
export interface SimulatedStores {
  readonly ledgerStore: LedgerStore;
  readonly sequencerStore: SequencerStore;
  readonly journalFeed: JournalFeed;
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

/** Opens sessions as they are needed, keeps those that are good, and forgets those that broke: a pool. */
export interface SessionPool {
  readonly wire: Wire;
  use<Result>(work: (session: ServerSession) => Promise<Result>): Promise<Result>;
}

export function connectSimulatedStores(options: ConnectOptions): SimulatedStores {
  const { server, client, timers, wire = (_statement, act) => act() } = options;
  const opened = new Set<ServerSession>();
  let stopListening = (): void => {};

  const pool = (idleTimeoutMs?: number): SessionPool => {
    let idle: ServerSession[] = [];
    return {
      wire,
      use: async (work) => {
        idle = idle.filter((session) => session.connected);
        const session =
          idle.pop() ??
          (await wire('connect', async () => {
            const made = server.openSession(client, idleTimeoutMs);
            opened.add(made);
            await made.run('connect', () => {});
            return made;
          }));
        try {
          return await work(session);
        } finally {
          if (session.connected) idle.push(session);
          else opened.delete(session);
        }
      },
    };
  };

  return {
    ledgerStore: createSimulatedLedgerStore(server, pool()),
    sequencerStore: createSimulatedSequencerStore(server, pool(10_000)),
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
