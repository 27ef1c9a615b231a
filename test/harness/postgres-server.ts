import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { migrate, readMigrations } from '../../services/runtime/migrate.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { memoryFolder } from './memory-folder.ts';
import { databaseUrl } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, logged in as its owner. */
    readonly postgresUrl: string;
    /** Name of the migrated database that tests clone. */
    readonly postgresTemplate: string;
    /** How they do it (PostgreSQL, "CREATE DATABASE", `STRATEGY`). */
    readonly postgresCloning: 'file_copy' | 'wal_log';
  }
}

/**
 * vitest's global setup of the `db` tests: one PostgreSQL for the run (TURNPIKE_TEST_DATABASE_URL, else an embedded one) with
 * a migrated template in it.
 * @returns what takes both down again.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TURNPIKE_TEST_DATABASE_URL;
  const guardian = given === undefined || given === '' ? startGuardian() : null;
  const url = guardian === null ? String(given) : await guardian.url;
  const template = `turnpike_template_${randomBytes(6).toString('hex')}`;

  const server = createDatabase({ url, role: 'login', applicationName: 'turnpike-test-setup', poolSize: 1 });
  await server.execute(`create database ${template}`);
  const database = createDatabase({ url: databaseUrl(url, template), role: 'login', applicationName: 'turnpike-test-setup', poolSize: 1 });
  await migrate({ db: database.db, migrations: await readMigrations() });
  // A database can only be cloned while nobody is connected to it.
  await database.close();
  project.provide('postgresUrl', url);
  project.provide('postgresTemplate', template);
  project.provide('postgresCloning', isInMemory(url) ? 'file_copy' : 'wal_log');

  return async () => {
    await server.execute(`drop database ${template} with (force)`);
    await server.close();
    await guardian?.end();
  };
}

/** Files are copied in half the time there; on a disk the checkpoints around it cost more than its log would. */
function isInMemory(url: string): boolean {
  return new URL(url).searchParams.get('host')?.startsWith(`${memoryFolder}/`) === true;
}

function startGuardian(): { readonly url: Promise<string>; readonly end: () => Promise<void> } {
  // A process group of its own: a Ctrl-C ends the run first, and the server when the run is over.
  const child: ChildProcess = fork(fileURLToPath(new URL('postgres-guardian.ts', import.meta.url)), { detached: true, execArgv: [] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(String(message)));
    void exited.then((code) => reject(new Error(`the test PostgreSQL did not start (code ${code})`)));
  });
  return {
    url,
    end: async () => {
      child.disconnect();
      await exited;
    },
  };
}
