import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StartRefusal } from '../../runtime/start-refusal.ts';

/**
 * Makes the folder that holds all state, and in it the one for what only counts while we run.
 * It is ours alone (0700); as root others may pass through it (0711) though not look around, because PostgreSQL runs as
 * another user below it. Everything in it is 0700 or 0600 either way.
 * @returns the path of the `run` folder.
 * @throws StartRefusal where the folder cannot be made or written to.
 */
export async function prepareHome(home: string): Promise<string> {
  const runFolder = join(home, 'run');
  try {
    await mkdir(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    await access(home, constants.W_OK | constants.X_OK);
    await mkdir(runFolder, { recursive: true, mode: 0o700 });
    await access(runFolder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartRefusal(`The folder ${home} cannot be used (${reason}). Set TURNPIKE_HOME to one that you may write to.`, {
      cause: error,
    });
  }
  return runFolder;
}
