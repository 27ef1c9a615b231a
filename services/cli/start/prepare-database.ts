import { type Kysely, sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { migrate, readMigrations } from '../../runtime/migrate.ts';
import { createDatabase } from '../../runtime/postgres.ts';

const databaseName = 'turnpike';
/** The login of the processes: a member of writer and reader, owner of nothing. */
const processLogin = 'turnpike_app';

/**
 * Makes an embedded server ready for the processes: the database, their login, all migrations, their membership.
 * @returns `DATABASE_URL` for the processes.
 */
export async function prepareDatabase(options: {
  /** `url` of the embedded server. */
  readonly urlOf: (user: string, database: string) => string;
  readonly administrator: string;
  readonly onProgress: (line: string) => void;
}): Promise<string> {
  const { urlOf, administrator, onProgress } = options;
  await asOwner(urlOf(administrator, 'postgres'), async (db) => {
    const found = await sql`select from pg_database where datname = ${databaseName}`.execute(db);
    if (found.rows.length === 0) await sql`create database ${sql.id(databaseName)}`.execute(db);
    const login = await sql`select from pg_roles where rolname = ${processLogin}`.execute(db);
    if (login.rows.length === 0) await sql`create role ${sql.id(processLogin)} login noinherit`.execute(db);
  });
  await asOwner(urlOf(administrator, databaseName), async (db) => {
    const applied = await migrate({ db, migrations: await readMigrations() });
    if (applied.length > 0) onProgress(`applied ${applied.length} migration(s), up to ${applied.at(-1)}`);
    await sql`grant turnpike_writer, turnpike_reader to ${sql.id(processLogin)}`.execute(db);
  });
  return urlOf(processLogin, databaseName);
}

async function asOwner(url: string, work: (db: Kysely<Database>) => Promise<void>): Promise<void> {
  // A migration may take as long as it takes.
  const database = createDatabase({ url, role: 'login', applicationName: 'turnpike-start', poolSize: 1, statementTimeoutMs: 0 });
  try {
    await work(database.db);
  } finally {
    await database.close();
  }
}
