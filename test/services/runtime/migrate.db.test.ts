import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Migration, migrate, pendingMigrations, readMigrations, refusePendingMigrations } from '../../../services/runtime/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';

let database: TestDatabase;
let own: readonly Migration[];
beforeEach(async () => {
  database = await createTestDatabase();
  own = await readMigrations();
});
afterEach(() => database.drop());

const migration = (name: string, text: string): Migration => ({ name, sql: text, sha256: createHash('sha256').update(text).digest('hex') });

test('a database that has everything lets processes start, in any role', async () => {
  await refusePendingMigrations(database.writer.db);
  await refusePendingMigrations(database.reader.db);
  expect(await migrate({ db: database.owner.db, migrations: own })).toEqual([]);
});

test('pending migrations are refused with the command that applies them', async () => {
  await sql`delete from schema_migrations where name = ${own.at(-1)?.name}`.execute(database.owner.db);
  await expect(refusePendingMigrations(database.writer.db)).rejects.toThrow(
    `from ${own.at(-1)?.name} on. Apply them with: turnpike migrate`,
  );
});

test('of many that migrate at once each file is applied once, in order', async () => {
  const more = [
    migration('9001_a.sql', 'create table a (id int); insert into a values (1)'),
    migration('9002_b.sql', 'insert into a values (2)'),
  ];
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate({ db: database.owner.db, migrations: [...own, ...more] })));
  expect(applied.flat().sort()).toEqual(['9001_a.sql', '9002_b.sql']);
  expect((await sql`select id from a order by id`.execute(database.owner.db)).rows).toEqual([{ id: 1 }, { id: 2 }]);
});

test('a migration that fails leaves nothing of itself, keeps those before it, and names file and line', async () => {
  const more = [migration('9001_a.sql', 'create table a (id int)'), migration('9002_b.sql', 'create table b (id int);\nselect wrong;')];
  await expect(migrate({ db: database.owner.db, migrations: [...own, ...more] })).rejects.toThrow(
    'migrations/9002_b.sql, line 2: column "wrong"',
  );
  expect((await sql`select to_regclass('a') is not null as a, to_regclass('b') is null as b`.execute(database.owner.db)).rows).toEqual([
    { a: true, b: true },
  ]);
  expect(await pendingMigrations(database.reader.db, [...own, ...more])).toEqual(['9002_b.sql']);
});

test('a file that was changed after it was applied is refused', async () => {
  const changed = own.map((one, index) => (index === 0 ? migration(one.name, `${one.sql} -- changed`) : one));
  await expect(migrate({ db: database.owner.db, migrations: changed })).rejects.toThrow('was changed after it had been applied');
});

test('a database of a newer version is refused', async () => {
  await expect(pendingMigrations(database.reader.db, own.slice(0, -1))).rejects.toThrow('migrated by a newer version');
});

test('a new file that comes before an applied one is refused', async () => {
  await expect(pendingMigrations(database.reader.db, [migration('0000_early.sql', 'select 1'), ...own])).rejects.toThrow(
    'Give it a higher number',
  );
});

test('files with wrong names or doubled numbers are refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, '0001_a.sql'), '');
  await writeFile(join(folder, '0001_b.sql'), '');
  await expect(readMigrations(folder)).rejects.toThrow('two migrations have the number 0001');
  await writeFile(join(folder, '0000-a.sql'), '');
  await expect(readMigrations(folder)).rejects.toThrow('0000-a.sql is not named');
});
