import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import { composeEndpoints } from '../../services/cli/start/endpoints.ts';
import { bootstrapServers } from '../harness/cluster-installation.ts';
import type { Variables } from '../harness/cluster-process.ts';
import { freePort } from '../harness/free-port.ts';
import type { MortalProcess } from '../harness/mortal-process.ts';
import { launchMortal } from '../harness/mortal-process.ts';
import type { TestDatabase } from '../harness/postgres.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { startSimulator } from '../harness/simulator.ts';

export type ProcessName = 'proxy' | 'ledger' | 'api';

/** Proxy, ledger and api on the embedded event log and a real PostgreSQL, each started by the test as often as it likes. */
export type Installation = {
  readonly endpoints: Endpoints;
  readonly home: string;
  readonly database: TestDatabase;
  /** Starts a process in place of its last life, which must be over: same folder, same port. */
  readonly launch: (name: ProcessName, failpoints?: string, more?: Variables) => MortalProcess;
  /** SIGKILL, in whatever it is doing; where it does not run, nothing. */
  readonly kill: (name: ProcessName) => Promise<void>;
  /** What all processes printed in all their lives. */
  readonly output: () => string;
  /** SIGTERM to all, the proxy first. @returns how each ended. */
  readonly stop: () => Promise<readonly (number | NodeJS.Signals)[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Consent that belongs to every armed failpoint. */
export const consent = { TURNPIKE_FAILPOINTS_CONSENT: 'this-is-a-test' };

/** Sets an installation up; nothing of it runs yet but the simulated provider, in this process. */
export async function createInstallation(): Promise<Installation> {
  const home = await mkdtemp(join(tmpdir(), 'tp-fail-'));
  const database = await createTestDatabase();
  const simulator = await startSimulator();
  const ports = { proxy: await freePort(), api: await freePort(), ledger: await freePort() };
  const variables: Variables = {
    DATABASE_URL: database.url,
    TURNPIKE_EVENT_LOG: 'embedded',
    TURNPIKE_HOME: home,
    TURNPIKE_MASTER_KEY: randomBytes(32).toString('base64'),
    TURNPIKE_PROXY_PORT: String(ports.proxy),
    TURNPIKE_API_PORT: String(ports.api),
    TURNPIKE_LEDGER_PORT: String(ports.ledger),
  };
  const remove = async (): Promise<void> => {
    await simulator[Symbol.asyncDispose]();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  };
  const keys = await bootstrapServers(variables, simulator.url).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const endpoints = composeEndpoints({ proxy: at(ports.proxy), api: at(ports.api), simulator: simulator.url }, keys);
  const lives: { readonly name: ProcessName; readonly process: MortalProcess }[] = [];
  const living = (name: ProcessName) => lives.filter((life) => life.name === name && !life.process.hasEnded());

  return {
    endpoints,
    home,
    database,
    launch: (name, failpoints, more = {}) => {
      if (living(name).length > 0) throw new Error(`${name} still runs`);
      const armed = failpoints === undefined ? {} : { TURNPIKE_FAILPOINTS: failpoints, ...consent };
      const process = launchMortal(name, { ...variables, ...armed, ...more });
      lives.push({ name, process });
      return process;
    },
    kill: async (name) => {
      for (const { process } of living(name)) {
        process.signal('SIGKILL');
        await process.ended;
      }
    },
    output: () => lives.map(({ name, process }) => `[${name} ${process.pid}]\n${process.output()}`).join('\n'),
    stop: async () => {
      const ends: (number | NodeJS.Signals)[] = [];
      for (const name of ['proxy', 'api', 'ledger'] as const) {
        for (const { process } of living(name)) {
          process.signal('SIGTERM');
          ends.push(await process.ended);
        }
      }
      return ends;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { process } of lives) {
        if (!process.hasEnded()) process.signal('SIGKILL');
        await process.ended;
      }
      await remove();
    },
  };
}
