import type { Timers } from '../../../services/eventlog/timers.ts';
import type { Clock } from '../../../services/runtime/clock.ts';
import type { Books, KeptAudit } from './books.ts';
import { createBooks, itemKey } from './books.ts';
import { connectionRefused } from './database-errors.ts';
import type { EntryConstraint } from './entry-constraints.ts';
import { createLockTable } from './lock-table.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { openTransaction } from './open-transaction.ts';
import type { ServerSession } from './server-session.ts';
import { createServerSession } from './server-session.ts';
import type { StoreFaults } from './store-faults.ts';
import { noFaults } from './store-faults.ts';

/** Whoever listens for what was sequenced. */
export type ServerListener = { readonly client: string; readonly onNotify: () => void; readonly onEnd: () => void };

/**
 * A PostgreSQL as far as the ledger's ports can tell: transactions of many connections at once, in virtual time. What is
 * committed survives everything; what is not is gone with its connection.
 */
export interface SimulatedPostgres {
  /** What is committed at this moment, to be looked at by whoever checks. */
  readonly books: Books;
  readonly running: boolean;
  /** How many transactions wait for another's lock. */
  readonly blocked: number;
  /** Names the history that positions belong to. */
  readonly epoch: string;
  /** Wall clock of the server. */
  readonly now: () => Date;
  readonly constraints: readonly EntryConstraint[];
  /** What a row without a place in the log is ordered by. */
  readonly nextOrder: () => bigint;
  /** @throws ECONNREFUSED while it is stopped. */
  openSession(client: string, idleTimeoutMs?: number): ServerSession;
  /** @throws ECONNREFUSED while it is stopped. @returns how to stop listening. */
  addListener(listener: ServerListener): () => void;
  /** The lock that at most one session holds, as often as it takes it. */
  tryToLead(session: ServerSession): boolean;
  stopLeading(session: ServerSession): void;
  /** Ends the connections of one client, as an administrator or a broken network does. */
  endSessions(client: string): void;
  /** Ends every connection and refuses new ones: `immediate`, so nothing uncommitted is left. */
  stop(): void;
  start(): void;
  /** Stops; what starts next is a standby that has all that was committed, in a history of its own. */
  failOver(): void;
  /** Before a statement on leases: they go by the server's clock. */
  tellLeasesTheTime(): void;
  /** How often leases may have changed. */
  readonly leaseTurns: number;
  /** Appends what a change of the registry tells, committed. */
  addAudit(audit: KeptAudit): void;
}

export interface SimulatedPostgresOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly faults?: StoreFaults;
  readonly constraints?: readonly EntryConstraint[];
}

export function createSimulatedPostgres(options: SimulatedPostgresOptions): SimulatedPostgres {
  const { clock, timers, faults = noFaults, constraints = [] } = options;
  const books = createBooks();
  const locks = createLockTable();
  const sessions = new Map<ServerSession, string>();
  const listeners = new Set<ServerListener>();
  let running = true;
  let timeline = 1;
  let leaseTurns = 0;
  let order = 0n;
  let leader: { readonly session: ServerSession; times: number } | null = null;

  const notify = (): void => {
    for (const listener of listeners) {
      const { latencyMs, fault } = faults('notify', listener.client);
      timers.after(latencyMs, () => {
        if (!listeners.has(listener)) return;
        if (fault === null) return listener.onNotify();
        listeners.delete(listener);
        listener.onEnd();
      });
    }
  };
  const tellLeasesTheTime = (): void => {
    books.leases.now = clock.now();
    leaseTurns += 1;
  };
  const commit = (trx: OpenTransaction): void => {
    tellLeasesTheTime();
    trx.commit();
    if (trx.wakesReaders) notify();
  };
  const endSessions = (isMeant: (client: string) => boolean): void => {
    for (const [session, client] of [...sessions]) if (isMeant(client)) session.end();
    for (const listener of [...listeners]) {
      if (!isMeant(listener.client)) continue;
      listeners.delete(listener);
      listener.onEnd();
    }
  };
  const stop = (): void => {
    running = false;
    endSessions(() => true);
  };
  const refuseWhileStopped = (): void => {
    if (!running) throw connectionRefused();
  };
  const nextOrder = (): bigint => ++order;

  return {
    books,
    constraints,
    nextOrder,
    get running() {
      return running;
    },
    get blocked() {
      return locks.blocked;
    },
    get epoch() {
      return `simulated/${timeline}`;
    },
    now: () => new Date(clock.now()),
    openSession: (client, idleTimeoutMs) => {
      refuseWhileStopped();
      const session = createServerSession({
        client,
        timers,
        faults,
        idleTimeoutMs: idleTimeoutMs ?? null,
        open: () => openTransaction(books, locks, timers),
        onCommit: commit,
        onEnd: () => {
          sessions.delete(session);
          if (leader?.session === session) leader = null;
        },
      });
      sessions.set(session, client);
      return session;
    },
    addListener: (listener) => {
      refuseWhileStopped();
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tryToLead: (session) => {
      leader ??= { session, times: 0 };
      if (leader.session !== session) return false;
      leader.times += 1;
      return true;
    },
    stopLeading: (session) => {
      if (leader?.session === session && --leader.times === 0) leader = null;
    },
    endSessions: (client) => endSessions((other) => other === client),
    stop,
    start: () => {
      running = true;
    },
    failOver: () => {
      stop();
      timeline += 1;
      books.leases.timeline = `t${timeline}`;
    },
    tellLeasesTheTime,
    get leaseTurns() {
      return leaseTurns;
    },
    addAudit: (audit) => {
      const { id, organizationId, occurredAt } = audit;
      books.audits.set(id, audit);
      books.waiting.set(itemKey({ kind: 'audit', id }), {
        kind: 'audit',
        id,
        organizationId,
        occurredAt,
        partition: -1,
        offset: nextOrder(),
      });
    },
  };
}
