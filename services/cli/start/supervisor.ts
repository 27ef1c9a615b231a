import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { embeddedAdministrator } from '../../runtime/embedded-postgres-data.ts';
import type { Environment } from '../../runtime/environment.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { checkPort } from './check-port.ts';
import { type ChildName, type ChildPlan, stopOrder } from './child-plan.ts';
import { composeEndpoints, type Endpoints, type InstallationKeys, readEndpoints, writeEndpoints } from './endpoints.ts';
import { greeting } from './greeting.ts';
import { type HomeLock, lockHome } from './home-lock.ts';
import { endLeftovers } from './leftovers.ts';
import { prepareDatabase } from './prepare-database.ts';
import { prepareHome } from './prepare-home.ts';
import { createSupervisedChild, type SupervisedChild } from './supervised-child.ts';
import type { SupervisedPostgres, SupervisedPostgresOptions } from './supervised-postgres.ts';

/** Brings the registry to what a first start promises, and answers with the two keys: those kept, or new ones where they are lost. */
export type Seed = (input: {
  readonly databaseUrl: string;
  readonly simulatorUrl: string;
  /** From an earlier start's `endpoints.json`; null where it is lost. */
  readonly kept: InstallationKeys | null;
}) => Promise<InstallationKeys>;

export type SupervisorOptions = {
  readonly environment: Environment;
  readonly clock: Clock;
  /** Aborted when the start is not wanted any more. */
  readonly stopping: AbortSignal;
  readonly plan: ChildPlan;
  readonly startPostgres: (options: SupervisedPostgresOptions) => Promise<SupervisedPostgres>;
  readonly seed: Seed;
  /** For a person, line by line. */
  readonly print: (text: string) => void;
  /** Something cannot be kept running: everything has to stop, non-zero. */
  readonly fail: (error: Error) => void;
};

export type Supervisor = {
  /** Brings everything up and writes `endpoints.json`. What it had started is stopped again where it rejects. */
  readonly start: () => Promise<Endpoints>;
  /** Stops in order: proxy, api, ledger and simulator, PostgreSQL. `hurry` kills the children, never the database. */
  readonly stop: (hurry: AbortSignal) => Promise<void>;
};

/** Longer than a child's own deadline, so that normally the child itself says what held it up. */
const childGraceMs = 22_000;

/** The parent of an embedded installation's processes (issue 4, line 4). */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { environment, clock, plan, print } = options;
  const startedAt = clock.monotonic();
  const children = new Map<ChildName, SupervisedChild>();
  let lock: HomeLock | null = null;
  let postgres: SupervisedPostgres | null = null;
  let stopped: Promise<void> | null = null;

  const progress = (line: string): void => print(`${((clock.monotonic() - startedAt) / 1_000).toFixed(1).padStart(5)} s  ${line}`);
  const notice = (line: string): void => print(`turnpike: ${line}`);
  const unlessStopping = (): void => {
    if (options.stopping.aborted) throw new Error('the start was stopped');
  };

  const startChild = async (name: ChildName, databaseUrl: string): Promise<string> => {
    unlessStopping();
    const child = createSupervisedChild({
      specification: plan[name](databaseUrl),
      runFolder: join(environment.home, 'run'),
      clock,
      onLine: (line) => print(`[${name}] ${line}`),
      onNotice: notice,
      onGiveUp: options.fail,
    });
    children.set(name, child);
    const addresses = await Promise.race([child.start(), aborted(options.stopping)]);
    return addresses.http ?? '';
  };

  const start = async (): Promise<Endpoints> => {
    const { home, host } = environment;
    const runFolder = await prepareHome(home);
    const kept = await readEndpoints(home);
    lock = await lockHome({ home, runFolder, addressOf: async () => kept?.proxyUrl ?? null });
    await endLeftovers({ runFolder, patienceMs: childGraceMs, onProgress: progress });
    await checkPort({ variable: 'TURNPIKE_PROXY_PORT', host, port: environment.proxyPort });
    await checkPort({ variable: 'TURNPIKE_API_PORT', host, port: environment.apiPort });
    await checkPort({ variable: 'TURNPIKE_SIM_PORT', host, port: environment.simulatorPort });
    unlessStopping();

    postgres = await options.startPostgres({ home, clock, onProgress: progress, onNotice: notice, onGiveUp: options.fail });
    const databaseUrl = await prepareDatabase({ urlOf: postgres.url, administrator: embeddedAdministrator, onProgress: progress });
    progress('starting simulator, ledger, api and proxy');
    // Only the proxy wants the registry filled, and only the seed wants the simulator: the others start beside them.
    const beside = Promise.all([startChild('api', databaseUrl), startChild('ledger', databaseUrl)]);
    // A failure of theirs is met below; until then it must not count as unhandled.
    beside.catch(() => {});
    const simulator = await startChild('simulator', databaseUrl);
    const keys = await options.seed({ databaseUrl, simulatorUrl: simulator, kept });
    const proxy = await startChild('proxy', databaseUrl);
    const [api] = await beside;
    const endpoints = composeEndpoints({ proxy, api, simulator }, keys);
    await writeEndpoints(home, endpoints);
    progress('ready');
    print(greeting(endpoints, home));
    return endpoints;
  };

  const stopAll = async (hurry: AbortSignal): Promise<void> => {
    const killAll = (): void => {
      for (const child of children.values()) child.kill();
    };
    hurry.addEventListener('abort', killAll, { once: true });
    if (hurry.aborted) killAll();
    for (const names of stopOrder) {
      await Promise.all(names.map((name) => children.get(name)?.stop(childGraceMs)));
    }
    await postgres?.stop();
    await lock?.release();
  };
  const stop = (hurry: AbortSignal): Promise<void> => {
    stopped ??= stopAll(hurry);
    return stopped;
  };

  return {
    start: async () => {
      try {
        return await start();
      } catch (error) {
        await stop(new AbortController().signal);
        throw error;
      }
    },
    stop: async (hurry) => {
      print('\nturnpike: stopping; requests in flight are finished first (Ctrl-C again to hurry)');
      await stop(hurry);
      notice('stopped');
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the start was stopped')), { once: true });
  });
}

/** Refuses what this version cannot run with, before anything is touched. */
export function refuseGivenServers(environment: Environment): void {
  const { databaseUrl, kafka } = environment;
  if (databaseUrl === null && kafka === null) return;
  const names = [databaseUrl === null ? [] : 'DATABASE_URL', kafka === null ? [] : 'KAFKA_BROKERS'].flat().join(' and ');
  throw new StartRefusal(
    `${names} set: \`npm start\` runs everything on the PostgreSQL and the event log it brings along. Unset ${names} for that, or run each process ` +
      'alone on given servers, which takes both variables and TURNPIKE_MASTER_KEY:\n' +
      '  npm run turnpike -- migrate\n  npm run turnpike -- bootstrap\n  npm run start:ledger\n  npm run start:api\n  npm run start:proxy',
  );
}
