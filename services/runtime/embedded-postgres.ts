import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { PostgresPlace } from './embedded-postgres-place.ts';
import { findPlace } from './embedded-postgres-place.ts';
import { createDatabase } from './postgres.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { identifyProcess, processEnded } from './process-identity.ts';
import { StartRefusal } from './start-refusal.ts';

/** The server's superuser: for migrations and administration. */
export const embeddedAdministrator = 'postgres';

export type EmbeddedPostgresOptions = {
  /** State lives in it. It must exist. */
  readonly home: string;
  /** Told what is being done, one short line each. */
  readonly onProgress?: (line: string) => void;
  /** Settings on top of ours; for tests, which can do without `fsync`. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedPostgres = {
  /** A URL for `user` and `database`, through the Unix socket. It holds no password: the kernel says who connects. */
  readonly url: (user: string, database: string) => string;
  readonly version: string;
  /** True where a server left behind by a killed supervisor was taken over. */
  readonly adopted: boolean;
  /** Where binaries and data had to move, or null. */
  readonly movedTo: string | null;
  readonly logPath: string;
  /** Resolves once the server has ended, asked for or not, with how. */
  readonly ended: Promise<string>;
  /** Fast shutdown: ends sessions, writes a checkpoint. Calling it again changes nothing. */
  readonly stop: () => Promise<void>;
};

const fastShutdownMs = 30_000;
const immediateShutdownMs = 5_000;
const startTimeoutMs = 60_000;
const largestLogBytes = 10 * 1024 * 1024;

/** Small enough for a laptop, with every promise of durability kept (`fsync`, `synchronous_commit` are on by default). */
const baseSettings = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '80',
  shared_buffers: '128MB',
  max_wal_size: '512MB',
  // Many partitions are touched by one statement.
  max_locks_per_transaction: '256',
  jit: 'off',
  // The data fits in memory: workers for reading would only be three more processes.
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %a ',
  log_checkpoints: 'off',
} as const;

/**
 * Runs the real PostgreSQL 18 from npm on the data in `home`, making the data first where there is none.
 *
 * The server is in a session of its own: a Ctrl-C in the terminal does not reach it, and it outlives us if we are killed.
 * Then the next call takes it over when it is healthy and was launched as we would, and else stops it and starts anew.
 * @throws StartRefusal where the data belongs to another version, or no user can be found to run it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const report = options.onProgress ?? (() => {});
  const place = await findPlace(options.home);
  if (place.movedTo !== null) {
    report(`PostgreSQL lives under ${place.movedTo}, because its user could not enter ${options.home}`);
  }
  if (!(await hasData(place))) {
    report('creating the database');
    await initialize(place);
  }
  const logPath = await prepareLog(options.home);
  const launch = await prepareLaunch(place, options.settings ?? {});
  const kept = await runningServer(place);
  if (kept !== null) {
    if (await isHealthy(place, launch.fingerprint)) {
      report(`taking over the PostgreSQL left behind (process ${kept.pid})`);
      return handle({ place, logPath, identity: kept, adopted: true, exit: null });
    }
    report(`stopping the PostgreSQL left behind (process ${kept.pid})`);
    await shutDown(kept);
  }
  report('starting PostgreSQL');
  const { identity, exit } = await startServer(place, launch.arguments, logPath);
  await writeFile(launchRecord(place), launch.fingerprint, { mode: 0o600 });
  return handle({ place, logPath, identity, adopted: false, exit });
}

function handle(server: {
  readonly place: PostgresPlace;
  readonly logPath: string;
  readonly identity: ProcessIdentity;
  readonly adopted: boolean;
  readonly exit: Promise<string> | null;
}): EmbeddedPostgres {
  const { place, identity } = server;
  const ended = Promise.withResolvers<string>();
  // One that was taken over is not our child: nobody tells us of its end, so we look.
  void (server.exit ?? watch(identity)).then(ended.resolve);
  let stopped: Promise<void> | null = null;
  return {
    url: (user, database) => socketUrl(place, user, database),
    version: place.binaries.version,
    adopted: server.adopted,
    movedTo: place.movedTo,
    logPath: server.logPath,
    ended: ended.promise,
    stop: () => {
      stopped ??= shutDown(identity).then(() => ended.resolve('it was stopped'));
      return stopped;
    },
  };
}

async function watch(identity: ProcessIdentity): Promise<string> {
  while (!(await processEnded(identity, 0))) {
    await new Promise((resolve) => setTimeout(resolve, 500).unref());
  }
  return 'it ended';
}

function socketUrl(place: PostgresPlace, user: string, database: string): string {
  return `postgresql://${encodeURIComponent(user)}@localhost/${encodeURIComponent(database)}?host=${encodeURIComponent(place.socketFolder)}`;
}

async function hasData(place: PostgresPlace): Promise<boolean> {
  let version: string;
  try {
    version = (await readFile(join(place.dataFolder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  if (version !== place.binaries.majorVersion) {
    throw new StartRefusal(
      `${place.dataFolder} was written by PostgreSQL ${version}; this version of turnpike runs PostgreSQL ${place.binaries.majorVersion}. ` +
        'Run the version that wrote it, or set TURNPIKE_HOME to another folder.',
    );
  }
  return true;
}

/** Makes the data beside its place and moves it there, so that an interrupted first start leaves nothing half made. */
async function initialize(place: PostgresPlace): Promise<void> {
  const draft = `${place.dataFolder}.initializing`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (place.account !== null) await chown(draft, place.account.uid, place.account.gid);
  const child = spawnAs(place, place.binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${embeddedAdministrator}`,
    '--auth-local=peer',
    '--auth-host=reject',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  ]);
  let output = '';
  const keep = (part: Buffer): void => {
    output = (output + part.toString()).slice(-4_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const how = await exitOf(child);
  if (how !== 'code 0') throw new Error(`initdb ended with ${how}:\n${output}`);
  await rename(draft, place.dataFolder);
  const parent = await open(dirname(place.dataFolder));
  await parent.sync().finally(() => parent.close());
}

async function prepareLog(home: string): Promise<string> {
  const folder = join(home, 'log');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'postgres.log');
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > largestLogBytes) await rename(path, `${path}.1`);
  return path;
}

type Launch = { readonly arguments: readonly string[]; readonly fingerprint: string };

/**
 * Who may connect is written anew at each start, outside the data folder: root must not write where an unprivileged user
 * could have laid a link. The kernel says who connects (`peer`); root, PostgreSQL's user and ours may be anyone.
 */
async function prepareLaunch(place: PostgresPlace, settings: Readonly<Record<string, string>>): Promise<Launch> {
  await mkdir(place.configFolder, { recursive: true, mode: 0o755 });
  const accessPath = join(place.configFolder, 'pg_hba.conf');
  const usersPath = join(place.configFolder, 'pg_ident.conf');
  await writeFile(accessPath, 'local all all peer map=turnpike\n', { mode: 0o644 });
  const users = new Set(['root', userInfo().username]);
  await writeFile(usersPath, [...users].map((user) => `turnpike "${user}" all\n`).join(''), { mode: 0o644 });
  const all: Record<string, string> = {
    ...baseSettings,
    ...settings,
    unix_socket_directories: `"${place.socketFolder.replaceAll('"', '""')}"`,
    hba_file: accessPath,
    ident_file: usersPath,
  };
  const list = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const parts = ['-D', place.dataFolder, ...list];
  return { arguments: parts, fingerprint: JSON.stringify([place.binaries.postgres, place.binaries.version, ...parts, ...users]) };
}

function launchRecord(place: PostgresPlace): string {
  return join(place.configFolder, 'launch.json');
}

/** The server that runs on this data, or null. A number left in `postmaster.pid` that is another program's by now is removed. */
async function runningServer(place: PostgresPlace): Promise<ProcessIdentity | null> {
  const pidPath = join(place.dataFolder, 'postmaster.pid');
  const pid = (await readPidFile(place))?.pid ?? null;
  if (pid === null) return null;
  const identity = await identifyProcess(pid);
  if (identity?.command === 'postgres') return identity;
  await rm(pidPath, { force: true });
  await rm(join(place.socketFolder, '.s.PGSQL.5432.lock'), { force: true });
  return null;
}

/** `postmaster.pid`: the process number is line 1, its state line 8 (miscadmin.h, `LOCK_FILE_LINE_PM_STATUS`). */
async function readPidFile(place: PostgresPlace): Promise<{ readonly pid: number; readonly ready: boolean } | null> {
  const text = await readFile(join(place.dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, ready: lines[7]?.trim() === 'ready' } : null;
}

async function isHealthy(place: PostgresPlace, fingerprint: string): Promise<boolean> {
  const launchedAs = await readFile(launchRecord(place), 'utf8').catch(() => null);
  if (launchedAs !== fingerprint) return false;
  const url = socketUrl(place, embeddedAdministrator, 'postgres');
  const database = createDatabase({ url, role: 'login', applicationName: 'turnpike-start', poolSize: 1, connectTimeoutMs: 3_000 });
  try {
    await database.execute('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await database.close();
  }
}

/**
 * A server whose first process was killed leaves others that hold its memory for a moment: PostgreSQL then refuses to start,
 * and starting is tried again until they are gone.
 */
async function startServer(
  place: PostgresPlace,
  argumentList: readonly string[],
  logPath: string,
): Promise<{ identity: ProcessIdentity; exit: Promise<string> }> {
  for (const end = performance.now() + startTimeoutMs; ; ) {
    const log = await open(logPath, 'a', 0o600);
    const logStart = (await log.stat()).size;
    const child = spawnAs(place, place.binaries.postgres, argumentList, log.fd);
    const exit = exitOf(child);
    await log.close();
    const identity = await becomesReady(place, child, exit, end);
    if (identity !== null) {
      child.unref();
      return { identity, exit };
    }
    const output = (await readFile(logPath)).subarray(logStart).toString().trim();
    const passing = /pre-existing shared memory block|still in use/.test(output);
    if (!passing || performance.now() >= end) throw new Error(`PostgreSQL did not start (${await exit}):\n${output.slice(-2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function becomesReady(
  place: PostgresPlace,
  child: ChildProcess,
  exit: Promise<string>,
  end: number,
): Promise<ProcessIdentity | null> {
  let over = false;
  void exit.then(() => {
    over = true;
  });
  while (!over) {
    const file = await readPidFile(place);
    if (file?.ready && file.pid === child.pid) return identifyProcess(file.pid);
    if (performance.now() >= end) {
      child.kill('SIGKILL');
      await exit;
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  return null;
}

async function shutDown(identity: ProcessIdentity): Promise<void> {
  // SIGINT is the fast, SIGQUIT the immediate shutdown, which the next start recovers from (postgres(1)).
  for (const [signal, waitMs] of [
    ['SIGINT', fastShutdownMs],
    ['SIGQUIT', immediateShutdownMs],
    ['SIGKILL', immediateShutdownMs],
  ] as const) {
    if (await processEnded(identity, 0)) return;
    try {
      process.kill(identity.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    if (await processEnded(identity, waitMs)) return;
  }
  throw new Error(`PostgreSQL (process ${identity.pid}) cannot be stopped`);
}

/** Its environment is ours to choose: variables such as PGDATA or LC_ALL of whoever calls must not reach it. */
function spawnAs(place: PostgresPlace, program: string, argumentList: readonly string[], output?: number): ChildProcess {
  return spawn(program, argumentList, {
    ...place.account,
    cwd: dirname(place.dataFolder),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output ?? 'pipe', output ?? 'pipe'],
    detached: true,
  });
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
}
