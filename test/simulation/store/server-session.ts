import type { Timers } from '../../../services/eventlog/timers.ts';
import { pause } from '../../../services/eventlog/timers.ts';
import { connectionLost, databaseError } from './database-errors.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { StoreFaults, StoreStatement } from './store-faults.ts';

/** The product's limit of a transaction, after which the server ends its connection. */
const transactionTimeoutMs = 15_000;

export interface ServerSession {
  /** Whether the client can still ask something over it. */
  readonly connected: boolean;
  /** One statement: in the transaction where one is open, else in one of its own. */
  run<Result>(statement: StoreStatement, act: (trx: OpenTransaction) => Result | Promise<Result>): Promise<Result>;
  begin(): Promise<void>;
  /** @throws where a failed statement has spoiled the transaction: it is rolled back then. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** The server ends it: what is not committed is gone. */
  end(): void;
  /** The client's end closes, as when its process dies: what the server was asked for last is done, and then the session ends. */
  abandon(): void;
}

export interface SessionOptions {
  readonly client: string;
  readonly timers: Timers;
  readonly faults: StoreFaults;
  readonly open: () => OpenTransaction;
  readonly onCommit: (trx: OpenTransaction) => void;
  readonly onEnd: () => void;
  /** How long it may say nothing outside a transaction before the server ends it; null: for ever. */
  readonly idleTimeoutMs: number | null;
}

/** The server's side of one connection. */
export function createServerSession(options: SessionOptions): ServerSession {
  const { client, timers, faults, idleTimeoutMs } = options;
  let connected = true;
  let ended = false;
  let busy = false;
  let trx: OpenTransaction | null = null;
  let spoiled = false;
  let cancelLimit = (): void => {};
  let cancelIdle = (): void => {};

  const close = (): OpenTransaction | null => {
    const open = trx;
    trx = null;
    spoiled = false;
    cancelLimit();
    return open;
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    connected = false;
    cancelIdle();
    const open = close();
    open?.interrupt(connectionLost());
    open?.rollback();
    options.onEnd();
  };
  const waitForClient = (): void => {
    if (idleTimeoutMs !== null && trx === null && !ended) cancelIdle = timers.after(idleTimeoutMs, end);
  };

  /** Does a statement at the server. Whether its client still hears of it makes no difference to it. */
  const serve = async <Result>(act: () => Result | Promise<Result>): Promise<Result> => {
    if (ended) throw connectionLost();
    try {
      return await act();
    } catch (error) {
      if (ended) throw connectionLost();
      spoiled = trx !== null;
      throw error;
    }
  };

  const ask = async <Result>(statement: StoreStatement, act: () => Result | Promise<Result>): Promise<Result> => {
    if (!connected) throw connectionLost();
    cancelIdle();
    const { latencyMs, answerMs, fault } = faults(statement, client);
    if (fault === 'cut') {
      connected = false;
      busy = true;
      const late = latencyMs > 0 ? pause(timers, latencyMs) : Promise.resolve();
      void late
        .then(() => serve(act))
        .catch(() => {})
        .finally(end);
      throw connectionLost();
    }
    busy = true;
    try {
      if (latencyMs > 0) await pause(timers, latencyMs);
      if (fault === 'connection_lost') end();
      const result = await serve(
        fault === 'serialization_failure' ? () => refuse('40001', 'could not serialize access due to concurrent update') : act,
      );
      if (fault === 'answer_lost') end();
      else if (answerMs > 0) await pause(timers, answerMs);
      if (ended || !connected) throw connectionLost();
      return result;
    } finally {
      busy = false;
      if (!connected) end();
      else waitForClient();
    }
  };

  return {
    get connected() {
      return connected;
    },
    run: (statement, act) =>
      ask(statement, async () => {
        if (spoiled) refuse('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
        if (trx !== null) return act(trx);
        trx = options.open();
        try {
          const result = await act(trx);
          const done = close();
          if (done !== null) options.onCommit(done);
          return result;
        } catch (error) {
          close()?.rollback();
          throw error;
        }
      }),
    begin: () =>
      ask('begin', () => {
        trx = options.open();
        cancelLimit = timers.after(transactionTimeoutMs, end);
      }),
    commit: () =>
      ask('commit', () => {
        const failed = spoiled;
        const done = close();
        if (!failed && done !== null) return options.onCommit(done);
        done?.rollback();
        throw new Error('Transaction was rolled back instead of committed');
      }),
    rollback: () => ask('rollback', () => close()?.rollback()),
    end,
    abandon: () => {
      connected = false;
      if (!busy) end();
    },
  };
}

function refuse(sqlState: string, message: string): never {
  throw databaseError(sqlState, message);
}
