import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import { composeEndpoints } from '../../services/cli/start/endpoints.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { brokerProperties, makeCertificate } from '../harness/certificate.ts';
import { bootstrapServers, migrateServers } from '../harness/cluster-installation.ts';
import type { Variables } from '../harness/cluster-process.ts';
import { startVerb } from '../harness/cluster-process.ts';
import type { FaultProxy } from '../harness/fault-proxy.ts';
import { startFaultProxy } from '../harness/fault-proxy.ts';
import { freePort } from '../harness/free-port.ts';
import type { KafkaBroker } from '../harness/kafka-broker.ts';
import { startKafkaBroker } from '../harness/kafka-broker.ts';
import type { KafkaRuntime } from '../harness/kafka-runtime.ts';
import type { SmallDisk } from '../harness/small-disk.ts';
import { mountSmallDisk } from '../harness/small-disk.ts';
import { createTemporaryHome } from '../harness/temporary-home.ts';
import { startTlsFront } from '../harness/tls-front.ts';
import type { ChaosPostgres } from './chaos-postgres.ts';
import { startChaosPostgres } from './chaos-postgres.ts';
import type { Child } from './child.ts';
import { startChild } from './child.ts';
import type { LinkName, ProcessKind } from './plan-faults.ts';

/** Several of each process on a Kafka and a PostgreSQL of their own, every link between them through a fault proxy of ours. */
export type World = {
  readonly children: Readonly<Record<ProcessKind, readonly Child[]>>;
  readonly broker: KafkaBroker;
  readonly postgres: ChaosPostgres;
  readonly links: Readonly<Record<LinkName, FaultProxy>>;
  /** That the first proxy's spool lies on, or why there is none. */
  readonly disk: SmallDisk | { readonly blocked: string };
  /** Puts a process's wall clock off by so much, from a moment later on. */
  readonly shiftClock: (child: string, byMs: number) => Promise<void>;
  /** Of the first proxy and the first api; the simulator's is its own, past every fault. */
  readonly endpoints: Endpoints;
  /** OpenAI's base URL of each proxy. */
  readonly proxyUrls: readonly string[];
  /** Sees every row, past every fault, for looking only. */
  readonly database: DatabaseConnection;
  /** Stops the product in order. @returns what ended otherwise than with 0. */
  readonly stop: () => Promise<readonly string[]>;
  /** Ends and removes everything. */
  readonly end: () => Promise<void>;
};

export type WorldOptions = {
  readonly runtime: KafkaRuntime;
  readonly processes: Readonly<Record<ProcessKind, number>>;
  /** Told when a process was killed by a fault of ours. */
  readonly onKilled: (kind: ProcessKind) => void;
  /** Of the first proxy's disk; null leaves it on the machine's. */
  readonly smallDiskMegabytes: number | null;
};

const databaseName = 'turnpike_chaos';
const clockModule = new URL('shifted-clock.mjs', import.meta.url).href;
const portVariables: Readonly<Record<ProcessKind, string>> = {
  proxy: 'TURNPIKE_PROXY_PORT',
  ledger: 'TURNPIKE_LEDGER_PORT',
  api: 'TURNPIKE_API_PORT',
};

/**
 * Starts it all, as README says. Every link speaks TLS, as it does wherever bytes may be damaged: no protocol behind it (Kafka's
 * answers, PostgreSQL's, HTTP) would notice a bit that TCP let through.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const temporary = await createTemporaryHome();
  const folder = dirname(temporary.path);
  const closing: (() => Promise<unknown>)[] = [() => temporary.remove()];
  const end = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close().catch((error: unknown) => console.error(error));
  };
  try {
    const certificate = await makeCertificate(folder);
    const front = async (target: number | string, protocol: 'tls' | 'postgres'): Promise<FaultProxy> => {
      const tls = await startTlsFront(target, certificate, protocol);
      closing.push(tls.close);
      const proxy = await startFaultProxy(tls.port);
      closing.push(proxy.close);
      return proxy;
    };

    const brokerPort = await freePort();
    const kafka = await startFaultProxy(brokerPort);
    closing.push(kafka.close);
    const [broker, postgres] = await Promise.all([
      startKafkaBroker({
        runtime: options.runtime,
        port: brokerPort,
        advertisedPort: kafka.port,
        protocol: 'SSL',
        properties: brokerProperties(certificate),
        entry: { ssl: { rejectUnauthorized: false } },
      }),
      startChaosPostgres(temporary.path),
    ]);
    closing.push(broker.end);

    const administration = createDatabase({ url: postgres.url('postgres'), role: 'login', applicationName: 'turnpike-chaos', poolSize: 1 });
    await administration.execute(`create database ${databaseName}`);
    await administration.close();
    const login = 'turnpike_chaos_app';
    const direct = new URL(postgres.url(databaseName));
    direct.username = login;
    const postgresLink = await front(postgres.socketPath, 'postgres');
    const variables: Variables = {
      DATABASE_URL: `postgresql://${login}@127.0.0.1:${postgresLink.port}/${databaseName}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate.caPath)}`,
      KAFKA_BROKERS: broker.address,
      KAFKA_SSL_CA: certificate.caPath,
      KAFKA_TOPIC_REPLICATION: '1',
      TURNPIKE_MASTER_KEY: randomBytes(32).toString('base64'),
      NODE_EXTRA_CA_CERTS: certificate.caPath,
    };
    await migrateServers({ ...variables, DATABASE_URL: direct.href }, postgres.url(databaseName));

    const simulator = await startVerb('start:simulator', { TURNPIKE_HOME: join(folder, 'simulator'), TURNPIKE_SIM_PORT: '0' });
    closing.push(() => simulator.kill());
    const provider = await front(Number(new URL(simulator.url).port), 'tls');
    const keys = await bootstrapServers(variables, `https://127.0.0.1:${provider.port}`);

    const homeOf = (name: string): string => join(folder, name.replace(' ', '-'));
    const clockOf = (name: string): string => join(folder, `${name.replace(' ', '-')}.clock`);
    const disk =
      options.smallDiskMegabytes === null
        ? { blocked: 'not asked for' }
        : await mountSmallDisk(homeOf('proxy 1'), options.smallDiskMegabytes);
    const startAll = (kind: ProcessKind): Promise<readonly Child[]> =>
      Promise.all(
        Array.from({ length: options.processes[kind] }, async (_, index) => {
          const name = `${kind} ${index + 1}`;
          await mkdir(homeOf(name), { recursive: true });
          const child = await startChild({
            kind,
            number: index + 1,
            portVariable: portVariables[kind],
            variables: {
              ...variables,
              TURNPIKE_HOME: homeOf(name),
              NODE_OPTIONS: `--import=${clockModule}`,
              CHAOS_CLOCK_FILE: clockOf(name),
            },
            onKilled: () => options.onKilled(kind),
          });
          closing.push(child.end);
          return child;
        }),
      );
    const [proxies, ledgers, apis] = await Promise.all([startAll('proxy'), startAll('ledger'), startAll('api')]);
    const children = { proxy: proxies, ledger: ledgers, api: apis };
    const database = createDatabase({
      url: postgres.url(databaseName),
      role: 'login',
      applicationName: 'turnpike-chaos',
      poolSize: 2,
      statementTimeoutMs: 120_000,
    });
    closing.push(database.close);
    return {
      children,
      broker,
      postgres,
      links: { kafka, postgres: postgresLink, provider },
      disk,
      shiftClock: (child, byMs) => writeFile(clockOf(child), String(byMs)),
      endpoints: composeEndpoints({ proxy: proxies[0]?.url() ?? '', api: apis[0]?.url() ?? '', simulator: simulator.url }, keys),
      proxyUrls: proxies.map((proxy) => `${proxy.url()}/v1`),
      database,
      stop: async () => {
        const wrong: string[] = [];
        for (const kind of ['proxy', 'api', 'ledger'] as const) {
          await Promise.all(
            children[kind].map(async (child) => {
              const code = await child.stop();
              if (code !== 0) wrong.push(`${child.name} stopped with ${code}: ${child.output().slice(-2_000)}`);
            }),
          );
        }
        return wrong;
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
