import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess } from '../../runtime/process-identity.ts';
import type { Random } from '../../runtime/random.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';

export type HomeLock = { readonly release: () => Promise<void> };

/**
 * Makes this process the only supervisor of a home. The lock names its holder by process number and start time, so one left
 * behind by SIGKILL is known to be stale, even when the number belongs to another program by now.
 * `runFolder` must exist. `addressOf` tells where the running one serves, for the message.
 * @throws StartRefusal where another one runs.
 */
export async function lockHome(options: {
  readonly home: string;
  readonly runFolder: string;
  readonly random: Random;
  readonly addressOf: () => Promise<string | null>;
}): Promise<HomeLock> {
  const path = join(options.runFolder, 'supervisor.json');
  const suffix = options.random.bytes(6).toString('hex');
  const draft = `${path}.${suffix}`;
  const own = await identifyProcess(process.pid);
  const content = JSON.stringify({ pid: process.pid, startedAt: own?.startedAt ?? '' });

  const refuse = async (pid: number): Promise<never> => {
    const address = await options.addressOf();
    throw new StartRefusal(
      `turnpike already runs on ${options.home} (process ${pid}${address === null ? '' : `, ${address}`}). ` +
        `Stop it (kill ${pid}), or set TURNPIKE_HOME to another folder.`,
    );
  };

  await writeFile(draft, content, { mode: 0o600 });
  try {
    // Bounded: each round but the last found a lock that was stale or vanished.
    for (let round = 0; round < 10; round++) {
      // A link appears whole and fails where the name exists.
      if (await linked(draft, path)) return { release: () => rm(path, { force: true }) };
      const found = await readFile(path, 'utf8').catch(() => '');
      const holder = await livingHolder(found);
      if (holder !== null) await refuse(holder);
      // Two may find the same stale lock; the slower must not move away the lock the quicker has just made.
      const aside = `${draft}.stale`;
      await rename(path, aside).catch(() => {});
      const moved = await livingHolder(await readFile(aside, 'utf8').catch(() => ''));
      if (moved !== null) await linked(aside, path);
      await rm(aside, { force: true });
      if (moved !== null) await refuse(moved);
    }
    throw new Error(`the lock ${path} keeps changing hands`);
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The process number in a lock, if that very process still runs. */
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
