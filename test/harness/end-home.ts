import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../services/runtime/process-identity.ts';
import { identifyProcess, processEnded } from '../../services/runtime/process-identity.ts';

/** How long a killed process may take to be gone. */
const deathMs = 5_000;

/**
 * Kills the supervisor, its children and PostgreSQL of a home, in this order so that nobody starts anything again. Goes by what they wrote down
 * and by their start times, never by a bare number.
 */
export async function endHome(home: string): Promise<void> {
  const supervisor = await recorded(join(home, 'run', 'supervisor.json'));
  if (supervisor !== null) await end(supervisor, supervisor.pid);
  const files = await readdir(join(home, 'run')).catch(() => []);
  await Promise.all(
    files
      .filter((file) => file.endsWith('.child.json'))
      .map(async (file) => {
        const child = await recorded(join(home, 'run', file));
        // Each child leads a process group.
        if (child !== null) await end(child, -child.pid);
      }),
  );
  const postgres = await runningPostgres(home);
  if (postgres !== null) await end(postgres, postgres.pid, 'SIGQUIT');
}

/** The process that a record names, where it still runs. */
export async function recorded(path: string): Promise<ProcessIdentity | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return null;
  const identity = typeof value.pid === 'number' && value.pid > 1 ? await identifyProcess(value.pid) : null;
  return identity !== null && identity.startedAt === value.startedAt ? identity : null;
}

/** The server that runs on a home's data. */
export async function runningPostgres(home: string): Promise<ProcessIdentity | null> {
  const pid = Number((await postmasterFile(home))[0]);
  const identity = Number.isInteger(pid) && pid > 1 ? await identifyProcess(pid) : null;
  return identity?.command === 'postgres' ? identity : null;
}

/** Lines of `postmaster.pid`: 1 is the process number, 5 the folder of the socket (miscadmin.h). Empty where no server runs. */
export async function postmasterFile(home: string): Promise<readonly string[]> {
  return (await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

async function end(identity: ProcessIdentity, target: number, first: 'SIGKILL' | 'SIGQUIT' = 'SIGKILL'): Promise<void> {
  for (const signal of [first, 'SIGKILL'] as const) {
    try {
      process.kill(target, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    if (await processEnded(identity, deathMs)) return;
  }
}
