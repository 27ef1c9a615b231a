import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { startEmbeddedPostgres } from '../../../services/runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../../services/runtime/embedded-postgres-data.ts';
import { migrate, readMigrations } from '../../../services/runtime/migrate.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import { pinRunning } from '../pinning.ts';
import { readProcessUsage } from '../process-usage.ts';

/** An embedded PostgreSQL as the product starts it, every promise of durability kept, on the core that is not measured. */
export type BenchPostgres = {
  /** A new migrated database. */
  readonly createDatabase: () => Promise<{ readonly url: string; readonly owner: DatabaseConnection }>;
  /** CPU of all its processes in microseconds so far, by what each one does; one that has ended is not counted. */
  readonly cpuUs: () => Promise<ReadonlyMap<string, number>>;
  readonly stop: () => Promise<void>;
};

export async function startBenchPostgres(): Promise<BenchPostgres> {
  const home = await mkdtemp(join(tmpdir(), 'turnpike-bench-'));
  // As root the server runs under another user, who has to get in.
  await chmod(home, 0o711);
  const server = await startEmbeddedPostgres({ home });
  const connect = (database: string): DatabaseConnection =>
    createDatabase({
      url: server.url(embeddedAdministrator, database),
      role: 'login',
      applicationName: 'bench',
      poolSize: 2,
      statementTimeoutMs: 0,
    });
  const administrator = connect('postgres');
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(administrator.db);
  const postmaster = await parentOf(rows[0]?.pid ?? 0);
  for (const pid of [postmaster, ...(await childrenOf(postmaster))]) await pinRunning('rest', pid);
  const databases: DatabaseConnection[] = [];
  return {
    createDatabase: async () => {
      const name = `bench_${databases.length}`;
      await administrator.execute(`create database ${name}`);
      const owner = connect(name);
      databases.push(owner);
      await migrate({ db: owner.db, migrations: await readMigrations() });
      return { url: server.url(embeddedAdministrator, name), owner };
    },
    cpuUs: async () => {
      const { rows } = await sql<{
        pid: number;
        role: string;
      }>`select pid, coalesce(nullif(application_name, ''), backend_type) as role from pg_stat_activity`.execute(administrator.db);
      const roles = new Map(rows.map(({ pid, role }) => [pid, role]));
      const usage = new Map<string, number>();
      for (const pid of await childrenOf(postmaster)) {
        const used = await readProcessUsage(pid).catch(() => null);
        const role = roles.get(pid) ?? 'other';
        if (used !== null) usage.set(role, (usage.get(role) ?? 0) + used.cpuUs);
      }
      return usage;
    },
    stop: async () => {
      for (const database of [...databases, administrator]) await database.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Field 4 of `/proc/<pid>/stat`, counted from field 3 behind the name. */
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

async function childrenOf(parent: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(parentOf));
  return pids.filter((_, index) => parents[index] === parent);
}
