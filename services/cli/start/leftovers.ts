import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, type ProcessIdentity, processEnded } from '../../runtime/process-identity.ts';

/** Writes down that a child runs, so that a later start can tell whether it still does. */
export async function recordChild(runFolder: string, name: string, pid: number): Promise<void> {
  const identity = await identifyProcess(pid);
  if (identity !== null) await writeFile(recordPath(runFolder, name), JSON.stringify(identity), { mode: 0o600 });
}

/** A child that has ended needs no record. */
export async function forgetChild(runFolder: string, name: string): Promise<void> {
  await rm(recordPath(runFolder, name), { force: true });
}

/**
 * Waits for the children of a supervisor that was killed. They noticed, and end by themselves once they have drained; one
 * that still runs after `patienceMs` is killed with its whole group.
 */
export async function endLeftovers(options: {
  readonly runFolder: string;
  readonly patienceMs: number;
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const names = (await readdir(options.runFolder)).filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
  await Promise.all(
    names.map(async (name) => {
      const identity = await recordedChild(options.runFolder, name);
      if (identity !== null && !(await processEnded(identity, 0))) {
        options.onProgress(`waiting for the ${name} left behind (process ${identity.pid}) to finish`);
        if (!(await processEnded(identity, options.patienceMs))) await kill(identity);
      }
      await forgetChild(options.runFolder, name);
    }),
  );
}

const suffix = '.child.json';

function recordPath(runFolder: string, name: string): string {
  return join(runFolder, `${name}${suffix}`);
}

async function recordedChild(runFolder: string, name: string): Promise<ProcessIdentity | null> {
  const text = await readFile(recordPath(runFolder, name), 'utf8').catch(() => '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return null;
  const { pid, startedAt } = value;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 1 || typeof startedAt !== 'string') return null;
  return { pid, startedAt, command: '' };
}

async function kill(identity: ProcessIdentity): Promise<void> {
  try {
    process.kill(-identity.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  await processEnded(identity, 5_000);
}
