import { join } from 'node:path';
import { startEmbeddedPostgres } from '../runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../runtime/embedded-postgres-data.ts';
import type { Environment } from '../runtime/environment.ts';
import { migrate, readMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { systemRandom } from '../runtime/random.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { grantProcessLogin } from './process-login.ts';
import { runOnce } from './run-once.ts';
import { readEndpoints } from './start/endpoints.ts';
import { lockHome } from './start/home-lock.ts';
import { prepareDatabase } from './start/prepare-database.ts';
import { prepareHome } from './start/prepare-home.ts';

/**
 * `turnpike migrate`: brings the database of DATABASE_URL up to this version, as the owner of DATABASE_OWNER_URL where that is
 * set, and then lets the login of DATABASE_URL in. Without both it is the embedded one, which must not be running (`turnpike
 * start` migrates by itself).
 */
export function migrateCommand(): Promise<void> {
  return runOnce(async (environment) => {
    const { databaseUrl, databaseOwnerUrl } = environment;
    if (databaseUrl !== null) return migrateGiven(databaseUrl, databaseOwnerUrl);
    // Whoever names servers does not mean the embedded database.
    if (environment.kafka !== null || databaseOwnerUrl !== null) {
      throw new StartRefusal(
        'DATABASE_URL: expected postgresql://user:password@host:port/database, since other servers are given; found nothing',
      );
    }
    await migrateEmbedded(environment);
  });
}

async function migrateGiven(url: string, ownerUrl: string | null): Promise<void> {
  const database = createDatabase({
    url: ownerUrl ?? url,
    role: 'login',
    applicationName: 'turnpike-migrate',
    poolSize: 1,
    statementTimeoutMs: 0,
  });
  try {
    const applied = await migrate({
      db: database.db,
      migrations: await readMigrations(),
      onApply: (name) => console.log(`applying ${name}`),
    });
    console.log(applied.length === 0 ? 'nothing to apply' : `applied ${applied.length} migration(s)`);
    if (ownerUrl === null) return;
    const { login, made } = await grantProcessLogin(database.db, { processUrl: url, random: systemRandom });
    console.log(`${made ? 'made the login' : 'let in the login'} ${login}`);
  } finally {
    await database.close();
  }
}

async function migrateEmbedded({ home }: Environment): Promise<void> {
  const runFolder = await prepareHome(home);
  const lock = await lockHome({
    home,
    runFolder: join(home, 'run'),
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
