import { mkdir, readdir, readFile } from 'node:fs/promises';
import { startEmbeddedPostgres } from '../../services/runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../services/runtime/embedded-postgres-data.ts';
import { postmasterFile, runningPostgres } from '../harness/end-home.ts';
import { eventually } from '../harness/eventually.ts';

/** A PostgreSQL of the run's own, with every promise of durability kept, to be stopped without warning. */
export interface ChaosPostgres {
  /** Of its Unix socket. */
  readonly socketPath: string;
  readonly url: (database: string) => string;
  /** `pg_ctl stop -m immediate`: no session ends in order, nothing is written any more. */
  readonly stopImmediately: () => Promise<void>;
  /** Starts it again: it recovers from its log. */
  readonly start: () => Promise<void>;
  /** Signals the server and each of its sessions. */
  readonly signalAll: (signal: 'SIGSTOP' | 'SIGCONT') => Promise<void>;
}

const endMs = 20_000;

/** @param home a folder under a guardian's eye (temporary-home.ts), which ends the server with the run. */
export async function startChaosPostgres(home: string): Promise<ChaosPostgres> {
  // As root the server runs under another user, who has to get in.
  await mkdir(home, { recursive: true, mode: 0o711 });
  let server = await startEmbeddedPostgres({ home });
  const folder = (await postmasterFile(home))[4] ?? '';
  return {
    socketPath: `${folder}/.s.PGSQL.5432`,
    url: (database) => server.url(embeddedAdministrator, database),
    stopImmediately: async () => {
      const running = await runningPostgres(home);
      if (running === null) return;
      process.kill(running.pid, 'SIGQUIT');
      await eventually(async () => (await runningPostgres(home)) === null, endMs);
    },
    start: async () => {
      server = await startEmbeddedPostgres({ home });
    },
    signalAll: async (signal) => {
      const running = await runningPostgres(home);
      if (running === null) return;
      for (const pid of [running.pid, ...(await childrenOf(running.pid))]) {
        try {
          process.kill(pid, signal);
        } catch (error) {
          // A session may end meanwhile.
          if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
        }
      }
    },
  };
}

/** Linux: `/proc/<pid>/stat` names the parent after the command, which is in brackets and may hold anything. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(Number.isInteger);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}
