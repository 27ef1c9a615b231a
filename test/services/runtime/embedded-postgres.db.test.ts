import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../services/runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../../services/runtime/embedded-postgres-data.ts';
import { createDatabase, type DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';

const asRoot = process.getuid?.() === 0;

const createHome = async (mode: number): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), "turn 'pike'-"));
  await chmod(home, mode);
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
};
/** Started, and stopped when the test is over, however it ends. */
const start = async (home: string, onProgress?: (line: string) => void): Promise<EmbeddedPostgres> => {
  const server = await startEmbeddedPostgres({ home, ...(onProgress === undefined ? {} : { onProgress }) });
  onTestFinished(() => server.stop());
  return server;
};
const connect = (server: EmbeddedPostgres): DatabaseConnection =>
  createDatabase({ url: server.url(embeddedAdministrator, 'postgres'), role: 'login', applicationName: 'test' });

test('data outlives a stop; durability is on, checksums too, and nothing listens on TCP', async () => {
  const home = await createHome(0o711);
  const first = await start(home);
  const before = connect(first);
  await before.execute('create table kept as select 42 as answer');
  await before.close();
  await first.stop();
  expect(await first.ended).toBe('code 0');
  expect(await readFile(first.logPath, 'utf8')).toContain('database system is shut down');

  const second = await start(home);
  const after = connect(second);
  const { rows } = await sql`select answer, current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
    current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses, current_setting('server_encoding') as encoding,
    current_setting('server_version_num')::int / 10000 as major from kept`.execute(after.db);
  expect(rows).toEqual([{ answer: 42, fsync: 'on', commit: 'on', checksums: 'on', addresses: '', encoding: 'UTF8', major: 18 }]);
  await after.close();
});

test('a server that was left behind is taken over when it was launched the same way, else replaced', async () => {
  const home = await createHome(0o711);
  const left = await start(home);
  const same = await start(home);
  expect(same.adopted).toBe(true);
  const lines: string[] = [];
  const other = await startEmbeddedPostgres({ home, settings: { work_mem: '8MB' }, onProgress: (line) => lines.push(line) });
  onTestFinished(() => other.stop());
  expect(other.adopted).toBe(false);
  expect(lines.join()).toContain('stopping the PostgreSQL left behind');
  expect(await left.ended).toBe('code 0');
  await other.stop();
  expect(await same.ended).not.toBe('');
});

test('after a crash of PostgreSQL itself the next start recovers what was committed', async () => {
  const home = await createHome(0o711);
  const first = await start(home);
  const before = connect(first);
  await before.execute('create table kept as select 1 as one');
  await before.close();
  process.kill(Number((await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]), 'SIGKILL');
  expect(await first.ended).toBe('signal SIGKILL');
  const after = connect(await start(home));
  expect((await sql`select one from kept`.execute(after.db)).rows).toEqual([{ one: 1 }]);
  await after.close();
});

test("a process number left behind that is another program's by now does not stop the start", async () => {
  const home = await createHome(0o711);
  const first = await start(home);
  const pidFile = join(home, 'postgres', 'postmaster.pid');
  const content = await readFile(pidFile, 'utf8');
  await first.stop();
  await writeFile(pidFile, content.replace(/^\d+/, String(process.pid)));
  const after = connect(await start(home));
  await after.execute('select 1');
  await after.close();
});

test('a first start that was interrupted is made anew', async () => {
  const home = await createHome(0o711);
  await mkdir(join(home, 'postgres.initializing'));
  await writeFile(join(home, 'postgres.initializing', 'half'), 'made');
  const after = connect(await start(home));
  await after.execute('select 1');
  await after.close();
});

test('data of another version of PostgreSQL is refused by name', async () => {
  const home = await createHome(0o711);
  await mkdir(join(home, 'postgres'));
  await writeFile(join(home, 'postgres', 'PG_VERSION'), '16\n');
  const refusal = await startEmbeddedPostgres({ home }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StartRefusal);
  expect(String(refusal)).toContain('was written by PostgreSQL 16; this version of turnpike runs PostgreSQL 18');
});

test.runIf(asRoot)(
  "as root in a folder that PostgreSQL's user cannot enter, its data moves, the start says where, and it stays there",
  async () => {
    const home = await createHome(0o700);
    const lines: string[] = [];
    const server = await start(home, (line) => lines.push(line));
    onTestFinished(() => rm(server.movedTo ?? '', { recursive: true, force: true }));
    expect(server.movedTo).toMatch(/^\/var\/lib\/turnpike\/[0-9a-f]{16}$/);
    expect(lines[0]).toContain(`PostgreSQL lives under ${server.movedTo}, because its user could not enter ${home}`);
    const before = connect(server);
    await before.execute('create table kept as select 1 as one');
    await before.close();
    await server.stop();

    await chmod(home, 0o711);
    const after = connect(await start(home));
    expect((await sql`select one from kept`.execute(after.db)).rows).toEqual([{ one: 1 }]);
    await after.close();
  },
);

test.runIf(asRoot)('as root, data that lies in a folder its user cannot enter any more is not passed over', async () => {
  const home = await createHome(0o711);
  await (await start(home)).stop();
  await chmod(home, 0o700);
  await expect(startEmbeddedPostgres({ home })).rejects.toThrow(`${home} holds the database, but PostgreSQL's user`);
});

test('a home with a path too long for a Unix socket works all the same', async () => {
  const home = join(await createHome(0o711), 'x'.repeat(100));
  await mkdir(home, { mode: 0o711 });
  const server = await start(home);
  const folder = decodeURIComponent(new URL(server.url('a', 'b')).searchParams.get('host') ?? '');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  expect(folder).toMatch(/^\/tmp\/turnpike-[0-9a-f]{16}$/);
  expect((await stat(folder)).mode & 0o077).toBe(0);
  const database = connect(server);
  await database.execute('select 1');
  await database.close();
});
