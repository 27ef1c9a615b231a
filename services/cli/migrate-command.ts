import { join } from 'node:path';
import { startEmbeddedPostgres } from '../runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../runtime/embedded-postgres-data.ts';
import { type Environment, readEnvironment } from '../runtime/environment.ts';
import { migrate, readMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { systemRandom } from '../runtime/random.ts';
import { refusalExitCode, StartRefusal } from '../runtime/start-refusal.ts';
import { readEndpoints } from './start/endpoints.ts';
import { lockHome } from './start/home-lock.ts';
import { prepareDatabase } from './start/prepare-database.ts';
import { prepareHome } from './start/prepare-home.ts';

/**
 * `turnpike migrate`: brings the database of DATABASE_URL up to this version, or, without it, the embedded one, which must not
 * be running (`turnpike start` migrates by itself).
 */
export async function migrateCommand(): Promise<void> {
  try {
    const environment = readEnvironment();
    if (environment.databaseUrl === null) await migrateEmbedded(environment);
    else await migrateGiven(environment.databaseUrl);
  } catch (error) {
    const expected = error instanceof StartRefusal;
    console.error(expected ? error.message : error);
    process.exitCode = expected ? refusalExitCode : 1;
  }
}

async function migrateGiven(url: string): Promise<void> {
  const database = createDatabase({ url, role: 'login', applicationName: 'turnpike-migrate', poolSize: 1, statementTimeoutMs: 0 });
  try {
    const applied = await migrate({
      db: database.db,
      migrations: await readMigrations(),
      onApply: (name) => console.log(`applying ${name}`),
    });
    console.log(applied.length === 0 ? 'nothing to apply' : `applied ${applied.length} migration(s)`);
  } finally {
    await database.close();
  }
}

async function migrateEmbedded({ home }: Environment): Promise<void> {
  const runFolder = await prepareHome(home);
  const lock = await lockHome({
    home,
    runFolder: join(home, 'run'),
    random: systemRandom,
    addressOf: async () => (await readEndpoints(home))?.proxyUrl ?? null,
  });
  try {
    const server = await startEmbeddedPostgres({ home, onProgress: console.log });
    try {
      await prepareDatabase({ urlOf: server.url, administrator: embeddedAdministrator, onProgress: console.log });
    } finally {
      await server.stop();
    }
    console.log(`the database in ${runFolder.replace(/run$/, '')} is up to date`);
  } finally {
    await lock.release();
  }
}
