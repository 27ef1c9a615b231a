import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import { composeEndpoints } from '../../services/cli/start/endpoints.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { bootstrapServers, migrateServers } from './cluster-installation.ts';
import type { ClusterProcess, Variables } from './cluster-process.ts';
import { startVerb } from './cluster-process.ts';
import { freePort } from './free-port.ts';
import { createEmptyDatabase } from './postgres.ts';

type Kind = 'proxy' | 'ledger' | 'api' | 'simulator';

/** Several of each process on a Kafka and a PostgreSQL that were given, set up as README says. */
export type Cluster = {
  /** Of the first proxy. */
  readonly endpoints: Endpoints;
  /** Of every proxy: OpenAI's base URL. */
  readonly proxyUrls: readonly string[];
  /** What every process was given. */
  readonly variables: Variables;
  /** Sees every row, for looking only. */
  readonly database: DatabaseConnection;
  /** SIGKILL to the first of its kind, which is then started again with what it had: the port, the folder. */
  readonly killAndRestart: (kind: 'proxy' | 'ledger') => Promise<void>;
  /** SIGTERM to one of a kind, by its number from 1, which is started again with what it had once it has ended. @returns its exit code. */
  readonly restart: (kind: 'proxy' | 'ledger' | 'api', number: number) => Promise<number | null>;
  /** What all processes printed. */
  readonly output: () => string;
  /** Stops all in order. @returns their exit codes. */
  readonly stop: () => Promise<readonly (number | null)[]>;
  /** Kills what still runs and removes what it left. */
  readonly remove: () => Promise<void>;
};

/** @param brokers of a Kafka of the test's own: the topic's name is fixed. */
export async function startCluster(brokers: string): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tp-cluster-'));
  const server = await createEmptyDatabase();
  const login = `turnpike_app_${randomBytes(4).toString('hex')}`;
  const processUrl = new URL(server.url);
  processUrl.username = login;
  const variables: Variables = {
    DATABASE_URL: processUrl.href,
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC_REPLICATION: '1',
    TURNPIKE_MASTER_KEY: randomBytes(32).toString('base64'),
  };
  const running = new Map<string, ClusterProcess>();
  const past: string[] = [];
  /** One after the other: who is killed must first be there again. */
  let restarted = Promise.resolve();
  const start = async (kind: Kind, number: number): Promise<ClusterProcess> => {
    const name = `${kind} ${number}`;
    const before = running.get(name);
    // It comes back where it was.
    const port = before === undefined ? String(await freePort()) : new URL(before.url).port;
    if (before !== undefined) past.push(`[${name}, before]\n${before.output()}`);
    const portVariable = {
      proxy: 'TURNPIKE_PROXY_PORT',
      api: 'TURNPIKE_API_PORT',
      simulator: 'TURNPIKE_SIM_PORT',
      ledger: 'TURNPIKE_LEDGER_PORT',
    }[kind];
    const started = await startVerb(`start:${kind}`, {
      ...variables,
      TURNPIKE_HOME: join(folder, `${kind}-${number}`),
      [portVariable]: port,
    });
    running.set(name, started);
    return started;
  };
  const output = (): string => [...past, ...[...running].map(([name, one]) => `[${name}]\n${one.output()}`)].join('\n');
  const remove = async (): Promise<void> => {
    await Promise.all([...running.values()].map((one) => one.kill()));
    await server.drop(login);
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await migrateServers(variables, server.url);
    const simulator = await start('simulator', 1);
    const keys = await bootstrapServers(variables, simulator.url);
    const [api, first, second] = await Promise.all([
      start('api', 1),
      start('proxy', 1),
      start('proxy', 2),
      start('ledger', 1),
      start('ledger', 2),
    ]);
    const endpoints = composeEndpoints({ proxy: first.url, api: api.url, simulator: simulator.url }, keys);
    const database = createDatabase({
      url: server.url,
      role: 'login',
      applicationName: 'turnpike-test',
      poolSize: 2,
      statementTimeoutMs: 60_000,
    });
    return {
      endpoints,
      proxyUrls: [endpoints.proxyUrl, `${second.url}/v1`],
      variables,
      database,
      output,
      killAndRestart: (kind) => {
        restarted = restarted.then(async () => {
          const killed = running.get(`${kind} 1`);
          await killed?.kill();
          await start(kind, 1);
        });
        return restarted;
      },
      restart: async (kind, number) => {
        const one = running.get(`${kind} ${number}`);
        if (one === undefined) throw new Error(`there is no ${kind} ${number}`);
        const exit = await one.stop();
        await start(kind, number);
        return exit;
      },
      stop: async () => {
        const exits: (number | null)[] = [];
        for (const kind of ['proxy', 'api', 'ledger', 'simulator']) {
          const those = [...running].filter(([name]) => name.startsWith(kind));
          exits.push(...(await Promise.all(those.map(([, one]) => one.stop()))));
        }
        return exits;
      },
      remove: async () => {
        await database.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output()}`, { cause: error });
  }
}
