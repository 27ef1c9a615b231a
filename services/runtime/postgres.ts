import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from '../../schema/tables/database.ts';

/**
 * What a connection may do. Processes connect as a login role that is a member of the two and take on one of them;
 * `login` takes on none and is for migrations and the administration of an embedded server only.
 */
export type DatabaseRole = 'writer' | 'reader' | 'login';

export type DatabaseOptions = {
  /** A libpq URL. `?host=/folder` connects through the Unix socket in that folder. A secret: it carries the password. */
  readonly url: string;
  readonly role: DatabaseRole;
  /** Shown in `pg_stat_activity`, e.g. `turnpike-ledger`. */
  readonly applicationName: string;
  /** Most connections at once; who asks beyond that waits up to `connectTimeoutMs`. 10. */
  readonly poolSize?: number;
  /** The server ends a statement that takes longer. 30 s; 0 means no limit. */
  readonly statementTimeoutMs?: number;
  /** How long a connection may take to be made or to come free. 10 s. */
  readonly connectTimeoutMs?: number;
  /** Told of idle connections that broke and of listeners that reconnect: worth a log line, nothing to be done. */
  readonly onConnectionError?: (error: Error) => void;
};

/** Called with the payload of a notification, or with null after a (re)connect: something may have been missed, so look. */
export type OnNotify = (payload: string | null) => void;

export type Listener = { readonly stop: () => Promise<void> };

export type DatabaseConnection = {
  readonly db: Kysely<Database>;
  /**
   * Runs `work` in one transaction in which each statement goes out when it is asked for, behind those before it, without waiting
   * for their answers (PostgreSQL's protocol, "Pipelining"). It commits when `work` resolves and leaves nothing behind when it
   * rejects; what `work` asks for after that is refused, for the connection may be another's.
   * @throws the error of the first statement that failed, whichever answer `work` was waiting for.
   */
  readonly pipeline: <Result>(work: (statements: Kysely<Database>) => Promise<Result>) => Promise<Result>;
  /** Listens on a connection of its own, which is made anew for as long as it takes when it breaks. */
  readonly listen: (channel: string, onNotify: OnNotify) => Listener;
  /** Runs SQL text as it is, which may hold several statements; for migrations and administration, never with outside input. */
  readonly execute: (sql: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

const oid = { int8: 20, int8Array: 1016, numeric: 1700, numericArray: 1231, date: 1082 } as const;
/** Typed wide: pg-types' list of type ids lacks it, though it parses it. */
const textArrayOid: number = 1009;

const numericAsBigint = (text: string): bigint | string =>
  text.includes('.') || text === 'NaN' || text.endsWith('nity') ? text : BigInt(text);

/**
 * How values come out, for this pool only (`pg`'s global parsers stay as they are): `int8` is a bigint, `numeric` without a
 * fraction (all money is `numeric(38,0)` pico-USD) is a bigint and one with a fraction stays text, a `date` stays text because
 * a Date would shift it by the time zone, `timestamptz` is a Date, `bytea` a Buffer. Arrays likewise. NaN and Infinity stay text.
 */
const parserOf = (type: number, format?: 'text' | 'binary'): ((value: string) => unknown) => {
  switch (type) {
    case oid.int8:
      return BigInt;
    case oid.numeric:
      return numericAsBigint;
    case oid.date:
      return (text) => text;
    case oid.int8Array:
      return (text) => textArray(text).map((item) => (item === null ? null : BigInt(item)));
    case oid.numericArray:
      return (text) => textArray(text).map((item) => (item === null ? null : numericAsBigint(item)));
    default:
      return pg.types.getTypeParser(type, format);
  }
};

function textArray(text: string): (string | null)[] {
  return pg.types.getTypeParser(textArrayOid)(text);
}

/** Settings of every connection go with the connection request, so they cost no round trip and `RESET` comes back to them. */
function clientConfig(options: DatabaseOptions): pg.ClientConfig {
  const { role, statementTimeoutMs = 30_000, connectTimeoutMs = 10_000 } = options;
  const settings = ['TimeZone=UTC', `statement_timeout=${statementTimeoutMs}`, ...(role === 'login' ? [] : [`role=turnpike_${role}`])];
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: connectTimeoutMs,
    // The server's limit is the one that counts; this one only notices a server that is gone without a word.
    ...(statementTimeoutMs > 0 ? { query_timeout: statementTimeoutMs + 5_000 } : {}),
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
}

const statementNames = new Map<string, string>();

/**
 * Marks a statement that runs again and again, so that each connection parses and plans it once (a millisecond for a wide one).
 * For texts that are fixed when the program is loaded: every connection keeps every one it ran.
 * @returns the text, to be run with exactly these characters.
 */
export function prepared(text: string): string {
  if (!statementNames.has(text)) statementNames.set(text, `turnpike_${statementNames.size}`);
  return text;
}

/** Of `pg`, for a statement that nobody answered within `query_timeout`. */
const unanswered = 'Query read timeout';

/**
 * Kysely hands over text only; the name under which `pg` prepares it is put in here. And a connection on which a statement was not
 * answered is closed before it goes back to the pool: `pg` breaks it too late for that, and the next statement would find it broken.
 */
function mendQueries(client: pg.PoolClient & { readonly end: () => Promise<void> }): void {
  const query = client.query.bind(client);
  Reflect.set(client, 'query', (text: unknown, ...rest: unknown[]) => {
    const name = typeof text === 'string' ? statementNames.get(text) : undefined;
    const result: unknown = Reflect.apply(query, client, [name === undefined ? text : { name, text }, ...rest]);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === unanswered) client.end().catch(() => {});
      });
    }
    return result;
  });
}

/** A pool of connections in one role, and Kysely on top. It connects when first used. */
export function createDatabase(options: DatabaseOptions): DatabaseConnection {
  const config = clientConfig(options);
  const onConnectionError = options.onConnectionError ?? (() => {});
  const pool = new pg.Pool({ ...config, pipeline: true, max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 });
  // Without a handler a broken idle connection (a restarted server) would end the process. The pool replaces it.
  pool.on('error', onConnectionError);
  pool.on('connect', (client) => {
    // A connection in use that breaks between two statements has no listener but this one; its next statement then fails.
    client.on('error', () => {});
    mendQueries(client);
  });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: async () => pool }) });
  const listeners = new Set<Listener>();

  return {
    db,
    pipeline: async (work) => runPipeline(await pool.connect(), work),
    listen: (channel, onNotify) => {
      const listener = createListener({ config, channel, onNotify, onConnectionError });
      listeners.add(listener);
      return listener;
    },
    execute: async (sql) => {
      const client = await pool.connect();
      await client.query(sql).then(
        () => client.release(),
        (error: unknown) => {
          // Whatever state it is in is left behind with it.
          client.release(true);
          throw error;
        },
      );
    },
    close: async () => {
      await Promise.all([...listeners].map((listener) => listener.stop()));
      await pool.end();
    },
  };
}

async function runPipeline<Result>(client: pg.PoolClient, work: (statements: Kysely<Database>) => Promise<Result>): Promise<Result> {
  const failures: unknown[] = [];
  let isOver = false;
  const query = (...asked: readonly unknown[]): unknown => {
    if (isOver) throw new Error('a statement was asked for after its transaction');
    const answer: unknown = Reflect.apply(client.query, client, asked);
    if (answer instanceof Promise) answer.catch((error: unknown) => failures.push(error));
    return answer;
  };
  // Kysely takes its one connection out of a pool, for each statement anew.
  const connection: pg.PoolClient = Object.create(client, { query: { value: query }, release: { value: () => {} } });
  const pool = { connect: async () => connection, end: async () => {}, options: {} };
  try {
    // Answered before the first answer that is waited for.
    query('begin');
    const result = await work(new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })).finally(() => {
      isOver = true;
    });
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new Error('a transaction was rolled back since one of its statements had failed');
    client.release();
    return result;
  } catch (error) {
    await client.query('rollback').then(
      () => client.release(),
      () => client.release(true),
    );
    throw failures.includes(error) ? failures[0] : error;
  }
}

const firstRetryMs = 100;
const longestRetryMs = 5_000;

function createListener(options: {
  readonly config: pg.ClientConfig;
  readonly channel: string;
  readonly onNotify: OnNotify;
  readonly onConnectionError: (error: Error) => void;
}): Listener {
  const { channel, onNotify, onConnectionError } = options;
  let stopped = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let retryMs = firstRetryMs;

  const connect = async (): Promise<void> => {
    const own = new pg.Client(options.config);
    client = own;
    let lost = false;
    const lose = (error: Error): void => {
      if (lost) return;
      lost = true;
      own.end().catch(() => {});
      if (stopped) return;
      onConnectionError(error);
      timer = setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    };
    own.on('error', lose);
    own.on('end', () => lose(new Error(`the connection that listens on ${channel} ended`)));
    own.on('notification', (notification) => onNotify(notification.payload ?? ''));
    try {
      await own.connect();
      await own.query(`listen ${own.escapeIdentifier(channel)}`);
      retryMs = firstRetryMs;
      onNotify(null);
    } catch (error) {
      lose(error instanceof Error ? error : new Error(String(error)));
    }
  };
  void connect();

  return {
    stop: async () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}

/** The SQLSTATE of an error of the server (`23505` is a unique violation), or null where the error is another. */
export function sqlStateOf(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/**
 * Whether the same transaction may well succeed when run again: the connection broke, the server restarts or is full, or the
 * transaction lost against another (serialization failure, deadlock).
 */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return /^(08|40|53|57P)/.test(state);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (
    (typeof code === 'string' && /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOST|ENET|EAI_AGAIN)/.test(code)) ||
    /^(Connection terminated|Client (has encountered a connection error|was closed)|timeout e|Query read timeout)/.test(error.message)
  );
}
