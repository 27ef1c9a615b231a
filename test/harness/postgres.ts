import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { DatabaseConnection, DatabaseRole } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';

/** A database of a test's own: migrated, empty, gone afterwards. */
export type TestDatabase = AsyncDisposable & {
  /** For `DATABASE_URL` and `createDatabase`: logged in as the owner, who may take on any role. */
  readonly url: string;
  /** A connection in the role that processes write with. */
  readonly writer: DatabaseConnection;
  /** A connection in the role that processes read with: row-level security applies. */
  readonly reader: DatabaseConnection;
  /** A connection as the owner, to arrange what no process may do. */
  readonly owner: DatabaseConnection;
  /** Closes the three connections and drops the database, whoever is still connected. */
  readonly drop: () => Promise<void>;
};

/**
 * Clones the run's migrated template (some 20 ms in memory, 100 on a disk). Only in files named `*.db.test.ts`, whose setup provides the server.
 *
 *     await using database = await createTestDatabase();   // or afterEach(() => database.drop())
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  if (serverUrl === undefined) throw new Error('no PostgreSQL here: a test that needs one belongs in a file named *.db.test.ts');
  const name = `turnpike_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name} template ${inject('postgresTemplate')} strategy ${inject('postgresCloning')}`);

  const url = databaseUrl(serverUrl, name);
  const connect = (role: DatabaseRole): DatabaseConnection =>
    createDatabase({ url, role, applicationName: `turnpike-test-${role}`, poolSize: 4, statementTimeoutMs: 20_000 });
  const writer = connect('writer');
  const reader = connect('reader');
  const owner = connect('login');
  let dropped: Promise<void> | null = null;
  const drop = (): Promise<void> => {
    dropped ??= Promise.all([writer.close(), reader.close(), owner.close()]).then(() =>
      onServer(serverUrl, `drop database ${name} with (force)`),
    );
    return dropped;
  };
  return { url, writer, reader, owner, drop, [Symbol.asyncDispose]: drop };
}

/** A database without a single migration, on the run's server; `drop` also removes a login that was made for it. */
export async function createEmptyDatabase(): Promise<{ readonly url: string; readonly drop: (login?: string) => Promise<void> }> {
  const serverUrl = inject('postgresUrl');
  if (serverUrl === undefined) throw new Error('no PostgreSQL here: see createTestDatabase');
  const name = `turnpike_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  return {
    url: databaseUrl(serverUrl, name),
    drop: async (login) => {
      await onServer(serverUrl, `drop database ${name} with (force)`);
      if (login !== undefined) await onServer(serverUrl, `drop role if exists ${login}`);
    },
  };
}

/** The same server and login, another database. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** One for all of a process's tests: most of a short statement's cost is connecting. It ends with the process. */
let administration: DatabaseConnection | null = null;

function onServer(url: string, statement: string): Promise<void> {
  administration ??= createDatabase({ url, role: 'login', applicationName: 'turnpike-test', poolSize: 4 });
  return administration.execute(statement);
}
