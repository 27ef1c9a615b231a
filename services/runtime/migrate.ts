import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { sqlStateOf } from './postgres.ts';
import { StartRefusal } from './start-refusal.ts';

/** One file of `migrations/`: SQL that was or will be applied once, as it is, and never changed afterwards. */
export type Migration = { readonly name: string; readonly sql: string; readonly sha256: string };

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));
const fileName = /^(\d{4})_[a-z0-9_]+\.sql$/;
/** Any number will do, as long as nobody else takes it; this one is `turnpike` in hexadecimal digits, cut to 63 bits. */
const advisoryLock = 0x7475726e_70696b65n;

/**
 * The migrations of this version in the order of their numbers.
 * @throws Error where a file is not named `NNNN_name.sql` or two share a number.
 */
export async function readMigrations(folder: string = migrationsFolder): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  names.forEach((name, index) => {
    const number = fileName.exec(name)?.[1];
    if (number === undefined) throw new Error(`migrations/${name} is not named NNNN_name.sql`);
    if (index > 0 && names[index - 1]?.startsWith(number)) throw new Error(`two migrations have the number ${number}`);
  });
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      return { name, sql: text, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * Names of the migrations that this database still lacks.
 * @throws StartRefusal where it holds others than ours: an applied file was changed, or a newer version migrated it.
 */
export async function pendingMigrations(db: Kysely<Database>, migrations: readonly Migration[]): Promise<readonly string[]> {
  const applied = await appliedMigrations(db);
  for (const [name, sha256] of applied) {
    const own = migrations.find((migration) => migration.name === name);
    if (own === undefined)
      throw new StartRefusal(`The database was migrated by a newer version (${name} is not part of this one). Run that version.`);
    if (own.sha256 !== sha256) {
      throw new StartRefusal(
        `migrations/${name} was changed after it had been applied. Applied migrations never change: restore the file and add a new one.`,
      );
    }
  }
  const pending = migrations.filter((migration) => !applied.has(migration.name)).map((migration) => migration.name);
  const last = [...applied.keys()].sort().at(-1);
  const late = pending.find((name) => last !== undefined && name < last);
  if (late !== undefined)
    throw new StartRefusal(`migrations/${late} comes before ${last}, which is applied already. Give it a higher number.`);
  return pending;
}

/**
 * For processes at their start: they never migrate, they only look.
 * @throws StartRefusal where migrations are pending, naming the command that applies them.
 */
export async function refusePendingMigrations(db: Kysely<Database>): Promise<void> {
  const pending = await pendingMigrations(db, await readMigrations()).catch((error: unknown) => {
    throw roleProblem(error) ?? error;
  });
  if (pending.length === 0) return;
  throw new StartRefusal(`The database lacks ${pending.length} migration(s), from ${pending[0]} on. Apply them with: turnpike migrate`);
}

/** Every connection takes on a role as it is made, which the first migration creates and `turnpike migrate` grants. */
function roleProblem(error: unknown): StartRefusal | null {
  switch (sqlStateOf(error)) {
    case '22023':
      return new StartRefusal('The database lacks the roles of turnpike: it was never migrated. Run: turnpike migrate', { cause: error });
    case '42501':
      return new StartRefusal(
        'The login of DATABASE_URL may not take on the roles turnpike_writer and turnpike_reader. Run, with DATABASE_OWNER_URL set: turnpike migrate',
        { cause: error },
      );
    default:
      return null;
  }
}

/**
 * Applies what is pending, each file in a transaction of its own, under a lock: of several that migrate at once, one does the
 * work and the others find it done. `db` must be connected as the owner, in role `login`.
 * @returns the names it applied itself.
 */
export async function migrate(options: {
  readonly db: Kysely<Database>;
  readonly migrations: readonly Migration[];
  readonly onApply?: (name: string) => void;
}): Promise<readonly string[]> {
  const done: string[] = [];
  for (;;) {
    const name = await options.db.transaction().execute((trx) => applyNext(trx, options.migrations, options.onApply));
    if (name === null) return done;
    done.push(name);
  }
}

async function applyNext(
  trx: Kysely<Database>,
  migrations: readonly Migration[],
  onApply?: (name: string) => void,
): Promise<string | null> {
  await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(trx);
  await sql`create table if not exists schema_migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`.execute(trx);
  await sql`grant select on schema_migrations to public`.execute(trx);
  const [name] = await pendingMigrations(trx, migrations);
  const migration = migrations.find((candidate) => candidate.name === name);
  if (migration === undefined) return null;
  onApply?.(migration.name);
  try {
    await sql.raw(migration.sql).execute(trx);
  } catch (error) {
    throw new Error(`migrations/${migration.name}${lineOf(error, migration.sql)}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  await sql`insert into schema_migrations (name, sha256) values (${migration.name}, ${migration.sha256})`.execute(trx);
  return migration.name;
}

/** PostgreSQL says at which character a statement is wrong; a person wants the line. */
function lineOf(error: unknown, text: string): string {
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN;
  return Number.isInteger(position) ? `, line ${text.slice(0, position).split('\n').length}` : '';
}

async function appliedMigrations(db: Kysely<Database>): Promise<ReadonlyMap<string, string>> {
  const table = await sql<{ found: string | null }>`select to_regclass('schema_migrations')::text as found`.execute(db);
  if (table.rows[0]?.found == null) return new Map();
  const { rows } = await sql<{ name: string; sha256: string }>`select name, sha256 from schema_migrations`.execute(db);
  return new Map(rows.map((row) => [row.name, row.sha256]));
}
