import type { JournalFeed, JournalItem, JournalPages } from '../../../services/api/live/journal-feed.ts';
import type { Timers } from '../../../services/eventlog/timers.ts';
import type { Books, PlacedItem } from './books.ts';
import { entryKey } from './books.ts';
import type { SessionPool } from './session-pool.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';
import type { StoreStatement } from './store-faults.ts';

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** The port of streams over a simulated server: the twin of `createPostgresJournalFeed`. */
export function createSimulatedJournalFeed(options: {
  readonly server: SimulatedPostgres;
  readonly client: string;
  readonly pool: SessionPool;
  readonly timers: Timers;
  /** Told how to end the listener without a word, as a dying process does. */
  readonly onListening: (stop: () => void) => void;
}): JournalFeed {
  const { server, client, pool, timers } = options;
  const read = <Result>(statement: StoreStatement, signal: AbortSignal, act: (books: Books) => Result): Promise<Result> => {
    if (signal.aborted) return Promise.reject(signal.reason);
    return pool.use((session) => pool.wire(statement, () => session.run(statement, ({ books }) => act(books))));
  };
  return {
    epoch: (signal) => read('read_epoch', signal, () => server.epoch),
    of: (organizationId, signal) => pagesOf(organizationId, (statement, act) => read(statement, signal, act)),
    listen: (onWake) => {
      let stopped = false;
      let cancelRetry = (): void => {};
      let stopListening = (): void => {};
      let retryMs = firstRetryMs;
      const lose = (): void => {
        if (stopped) return;
        cancelRetry = timers.after(retryMs, connect);
        retryMs = Math.min(2 * retryMs, longestRetryMs);
      };
      const connect = (): void => {
        const connected = pool.wire('listen', async () => {
          stopListening = server.addListener({ client, onNotify: () => stopped || onWake(false), onEnd: lose });
        });
        connected.then(() => {
          retryMs = firstRetryMs;
          if (!stopped) onWake(true);
        }, lose);
      };
      const stop = (): void => {
        stopped = true;
        cancelRetry();
        stopListening();
      };
      options.onListening(stop);
      connect();
      return { stop: async () => stop() };
    },
  };
}

function pagesOf(
  organizationId: string,
  read: <Result>(statement: StoreStatement, act: (books: Books) => Result) => Promise<Result>,
): JournalPages {
  const journalIn = (books: Books): readonly PlacedItem[] => books.journals.get(organizationId) ?? [];
  return {
    head: () => read('read_head', (books) => BigInt(journalIn(books).length) - 1n),
    page: (after, limit) =>
      read('read_page', (books) => {
        const from = Number(after) + 1;
        return journalIn(books)
          .slice(from, from + limit)
          .map((placed) => itemOf(books, placed));
      }),
    pageOf: (kind, { after, upTo }, limit) =>
      read('read_audit_page', (books) =>
        journalIn(books)
          .slice(Number(after) + 1, Number(upTo) + 1)
          .filter((item) => item.kind === kind)
          .slice(0, limit)
          .map((placed) => itemOf(books, placed)),
      ),
  };
}

function itemOf(books: Books, { kind, id, position, occurredAt, sequencedAt }: PlacedItem): JournalItem {
  if (kind === 'audit') {
    const audit = books.audits.get(id);
    if (audit === undefined) return { position, sequencedAt, usage: null, audit: null, alert: null };
    const { action, targets } = audit;
    return { position, sequencedAt, usage: null, audit: { id, occurredAt: audit.occurredAt, action, targets }, alert: null };
  }
  const kept = books.entries.get(entryKey({ entry_id: id, occurred_at: occurredAt }));
  if (kept === undefined || kept.entry.kind !== 'usage') return { position, sequencedAt, usage: null, audit: null, alert: null };
  const { body: _body, body_hash: _hash, log_partition: _partition, log_offset: _offset, ...row } = kept.entry;
  return { position, sequencedAt, usage: { ...row, recorded_at: kept.recordedAt }, audit: null, alert: null };
}
