import type { ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedAdministrator, hasData, initializeData } from './embedded-postgres-data.ts';
import { launchRecord, prepareLaunch } from './embedded-postgres-launch.ts';
import { findPlace, type PostgresPlace } from './embedded-postgres-place.ts';
import { exitOf, spawnProgram } from './embedded-postgres-program.ts';
import { createDatabase } from './postgres.ts';
import { identifyProcess, type ProcessIdentity, processEnded } from './process-identity.ts';

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
    await initializeData(place);
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
    const child = spawnProgram(place, place.binaries.postgres, argumentList, log.fd);
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
