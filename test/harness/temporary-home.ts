import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder for one installation, gone with everything that runs in it when it is disposed of, or when this process ends in whatever way. */
export type TemporaryHome = {
  readonly path: string;
  /** Kills what still runs in it and removes it. */
  readonly remove: () => Promise<void>;
};

/** Makes a home below the system's temporary folder, watched over by a process of its own (home-guardian.ts). */
export async function createTemporaryHome(): Promise<TemporaryHome> {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-home-'));
  // As root PostgreSQL runs under another user, who has to get in; the home itself stays closed to all but passers-by.
  await chmod(folder, 0o711);
  const path = join(folder, 'home');
  const guardian = fork(fileURLToPath(new URL('./home-guardian.ts', import.meta.url)), [folder, path], {
    // A Ctrl-C in the terminal must not end it before it has cleaned up.
    detached: true,
    // Flags of the test runner and of a profiler are not for it.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(guardian, 'exit');
  ended.catch(() => {});
  guardian.unref();
  guardian.channel?.unref();
  return {
    path,
    remove: async () => {
      guardian.ref();
      if (guardian.connected) guardian.disconnect();
      if (guardian.exitCode === null && guardian.signalCode === null) await ended;
    },
  };
}
