import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FolderLock } from '../../eventlog/folder-lock.ts';
import { FolderInUseError, lockFolder } from '../../eventlog/folder-lock.ts';
import { identifyProcess } from '../../runtime/process-identity.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';

export type HomeLock = { readonly release: () => Promise<void> };

/** How long a holder may take from taking the lock to saying who it is. */
const introductionMs = 1_000;

/**
 * Makes this process the only supervisor of a home. The lock is that of a folder, as a spool's: a socket that only a living
 * process answers, so one left behind by SIGKILL holds nothing. `supervisor.json` beside it says who holds it, for people and
 * messages; nothing is decided by it.
 * `runFolder` must exist. `addressOf` tells where the running one serves, for the message.
 * @throws StartRefusal where another one runs.
 */
export async function lockHome(options: {
  readonly home: string;
  readonly runFolder: string;
  readonly addressOf: () => Promise<string | null>;
}): Promise<HomeLock> {
  const path = join(options.runFolder, 'supervisor.json');
  let lock: FolderLock;
  try {
    lock = await lockFolder(join(options.runFolder, 'supervisor'));
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    throw new StartRefusal(await refusal(options.home, path, await options.addressOf()));
  }
  const own = await identifyProcess(process.pid);
  await writeFile(`${path}.draft`, JSON.stringify({ pid: process.pid, startedAt: own?.startedAt ?? '' }), { mode: 0o600 });
  await rename(`${path}.draft`, path);
  return {
    release: async () => {
      await rm(path, { force: true });
      await lock.release();
    },
  };
}

async function refusal(home: string, path: string, address: string | null): Promise<string> {
  const pid = await holderIn(path);
  const who = [pid === null ? [] : [`process ${pid}`], address === null ? [] : [address]].flat().join(', ');
  const how = pid === null ? 'Stop it' : `Stop it (kill ${pid})`;
  return `turnpike already runs on ${home}${who === '' ? '' : ` (${who})`}. ${how}, or set TURNPIKE_HOME to another folder.`;
}

/** The holder's process number, once it has introduced itself; null where it does not. */
async function holderIn(path: string): Promise<number | null> {
  for (const end = performance.now() + introductionMs; performance.now() < end; await pause(20)) {
    const pid = await livingHolder(await readFile(path, 'utf8').catch(() => ''));
    if (pid !== null) return pid;
  }
  return null;
}

/** The process number in the file, if that very process still runs. */
async function livingHolder(content: string): Promise<number | null> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return null;
  const identity = typeof value.pid === 'number' ? await identifyProcess(value.pid) : null;
  return identity !== null && identity.startedAt === value.startedAt ? identity.pid : null;
}
