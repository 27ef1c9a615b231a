import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { ChildName } from '../../services/cli/start/child-plan.ts';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import { readEndpoints } from '../../services/cli/start/endpoints.ts';
import { embeddedAdministrator } from '../../services/runtime/embedded-postgres-data.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { postmasterFile, recorded } from './end-home.ts';
import { eventually } from './eventually.ts';
import type { TemporaryHome } from './temporary-home.ts';
import { createTemporaryHome } from './temporary-home.ts';

/** How it ended: an exit code, or the signal that killed it. */
export type Exit = number | NodeJS.Signals;

/** `turnpike start` as it was launched: it may be starting, serving, refusing or gone. */
export type LaunchedProduct = {
  /** The supervisor. */
  readonly pid: number;
  /** All it printed so far, standard output and error in the order they came. */
  readonly output: () => string;
  readonly exited: Promise<Exit>;
  readonly hasExited: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves once everything serves; rejects with what was printed where it ended first or took too long. */
  readonly ready: () => Promise<Endpoints>;
};

export type LaunchOptions = {
  readonly home: string;
  /** On top of this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before the command, such as `['taskset', '-c', '1']`. */
  readonly wrapper?: readonly string[];
};

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
/** Seconds on a quiet machine; only what hangs takes longer on a busy one. */
const startMs = 180_000;
const stopMs = 120_000;

/** Variables of the surrounding shell that would change what is tested. */
const foreign = ['DATABASE_URL', 'KAFKA_BROKERS', 'TURNPIKE_CONFIG', 'TURNPIKE_MASTER_KEY', 'TURNPIKE_LOG_LEVEL', 'TURNPIKE_DURABILITY'];

/** Runs `turnpike start` from the working tree on `home`, on free ports. It ends with this process, however that ends. */
export function launchProduct(options: LaunchOptions): LaunchedProduct {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !foreign.includes(name) && !name.startsWith('VITEST')),
  );
  const launchedAtMs = Date.now();
  const [program = process.execPath, ...rest] = [...(options.wrapper ?? []), process.execPath, join('services', 'cli', 'main.ts'), 'start'];
  const child = spawn(program, rest, {
    cwd: projectFolder,
    env: {
      ...inherited,
      TURNPIKE_HOME: options.home,
      TURNPIKE_HOST: '127.0.0.1',
      TURNPIKE_PROXY_PORT: '0',
      TURNPIKE_API_PORT: '0',
      TURNPIKE_SIM_PORT: '0',
      ...options.environment,
    },
    // The IPC channel tells it when we are gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    output += part;
  });
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    output += part;
  });
  let ended = false;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // `close` comes after the last of its output.
    child.once('close', (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? 0);
    });
  });
  exited.catch(() => {});

  const look = async (): Promise<Endpoints | 'ended' | null> => {
    if (ended) return 'ended';
    // An earlier start's file lies there until this one is ready; it prints after it has written.
    return output.includes('  ready\n') ? await readEndpoints(options.home) : null;
  };
  return {
    pid,
    output: () => output,
    exited,
    hasExited: () => ended,
    signal: (signal) => {
      child.kill(signal);
    },
    ready: async () => {
      const found = await eventually(look, startMs).catch(() => null);
      if (found !== null && found !== 'ended') return found;
      const how = found === 'ended' ? `ended with ${await exited}` : 'was not ready';
      throw new Error(`turnpike ${how} after ${Date.now() - launchedAtMs} ms. It said:\n${output}`);
    },
  };
}

/** A product that serves. */
export type Product = {
  readonly home: string;
  readonly endpoints: Endpoints;
  readonly launched: LaunchedProduct;
  /** The process number of a child, as the supervisor wrote it down; waits while it is being started again. */
  readonly pidOf: (child: ChildName) => Promise<number>;
  /** Sends a signal to a child alone. @returns its process number. */
  readonly kill: (child: ChildName, signal: NodeJS.Signals) => Promise<number>;
  /** One GraphQL operation as administrator. @throws Error with the errors it was answered, or where the data is not as `schema` says. */
  readonly graphql: <Schema extends TSchema>(
    schema: Schema,
    query: string,
    variables?: Readonly<Record<string, unknown>>,
  ) => Promise<Static<Schema>>;
  /** A pool of connections to its database that sees every organization's rows, for looking only; closed by `stop`. */
  readonly database: () => Promise<DatabaseConnection>;
  /** What `work` gives, or a rejection with all that was printed where the work fails or the product ends first. */
  readonly whileServing: <Value>(work: Promise<Value>) => Promise<Value>;
  /** Stops it in order. @returns its exit. */
  readonly stop: () => Promise<Exit>;
  /** Stops it, in order where that works, and removes its home. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type ProductOptions = Omit<LaunchOptions, 'home'> & {
  /** An existing home, which is then not removed with the product. */
  readonly home?: string;
};

/** The whole product from the working tree on a temporary home, ready to serve, for `await using`. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const temporary: TemporaryHome | null = options.home === undefined ? await createTemporaryHome() : null;
  const home = options.home ?? temporary?.path ?? '';
  const launched = launchProduct({ ...options, home });
  const endpoints = await launched.ready().catch(async (error: unknown) => {
    launched.signal('SIGTERM');
    await within(launched.exited, stopMs);
    await temporary?.remove();
    throw error;
  });
  const databases: DatabaseConnection[] = [];

  const pidOf = async (child: ChildName): Promise<number> => {
    const identity = await eventually(() => recorded(join(home, 'run', `${child}.child.json`)));
    return identity.pid;
  };
  const stop = async (): Promise<Exit> => {
    await Promise.all(databases.splice(0).map((database) => database.close()));
    if (!launched.hasExited()) launched.signal('SIGTERM');
    return within(launched.exited, stopMs);
  };
  return {
    home,
    endpoints,
    launched,
    pidOf,
    kill: async (child, signal) => {
      const pid = await pidOf(child);
      process.kill(pid, signal);
      return pid;
    },
    graphql: (schema, query, variables = {}) => askGraphql({ endpoints, schema, query, variables }),
    database: async () => {
      const folder = (await postmasterFile(home))[4] ?? '';
      const url = `postgresql://${embeddedAdministrator}@localhost/turnpike?host=${encodeURIComponent(folder)}`;
      const database = createDatabase({ url, role: 'login', applicationName: 'turnpike-test', poolSize: 2, statementTimeoutMs: 60_000 });
      databases.push(database);
      return database;
    },
    whileServing: async (work) => {
      work.catch(() => {});
      const ended = launched.exited.then((exit) => Promise.reject(new Error(`turnpike ended with ${exit}`)));
      ended.catch(() => {});
      try {
        return await Promise.race([work, ended]);
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : String(error)}\nturnpike said:\n${launched.output()}`, {
          cause: error,
        });
      }
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop().catch(() => {});
      await temporary?.remove();
    },
  };
}

async function within<Value>(promise: Promise<Value>, deadlineMs: number): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`turnpike did not end within ${deadlineMs} ms`)), deadlineMs);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** One GraphQL operation as administrator. @throws Error with the errors it was answered, or where the data is not as `schema` says. */
export async function askGraphql<Schema extends TSchema>(options: {
  readonly endpoints: Endpoints;
  readonly schema: Schema;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}): Promise<Static<Schema>> {
  const { endpoints, schema, query, variables } = options;
  const response = await fetch(endpoints.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${endpoints.adminKey}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  const answer: unknown = text.startsWith('{') ? JSON.parse(text) : null;
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || 'errors' in answer) {
    throw new Error(`GraphQL answered ${response.status}: ${text.slice(0, 2_000)}`);
  }
  return Value.Parse(schema, answer.data);
}
