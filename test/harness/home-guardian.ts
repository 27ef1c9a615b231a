import { rm } from 'node:fs/promises';
import { endHome } from './end-home.ts';
import { unmountBelow } from './small-disk.ts';

/**
 * A process of its own that outlives a test by a moment: when the test lets go of the home, or ends, by itself or by SIGKILL, the IPC channel
 * closes, what still runs in the home is killed, and the folder removed with whatever was mounted in it. Started by temporary-home.ts.
 */
const [folder = '', home = ''] = process.argv.slice(2);
if (folder === '' || home === '') throw new Error('expected the folder to remove and the home in it');

let ending = false;
const end = async (): Promise<void> => {
  if (ending) return;
  ending = true;
  await endHome(home);
  await unmountBelow(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(0);
};
process.on('disconnect', () => void end());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
if (!process.connected) await end();
