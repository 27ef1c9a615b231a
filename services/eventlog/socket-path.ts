import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing NUL among them. */
const MAX_PATH_BYTES = 103;

/**
 * Where a Unix socket of this folder lies: in its `run/` when that path is short enough, else under the temporary folder by a
 * hash of it. Both sides compute it alike.
 */
export function socketPath(directory: string, name: string): string {
  const home = resolve(directory);
  const near = join(home, 'run', name);
  if (Buffer.byteLength(near) <= MAX_PATH_BYTES) return near;
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 16);
  return join(`${sharedPrefix()}${hash}`, name);
}

/**
 * Makes the folder a socket lies in, for its owner only.
 * @throws when it lies in the shared temporary folder and belongs to somebody else, who could stand in for us.
 */
export async function makeSocketDirectory(path: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!directory.startsWith(sharedPrefix())) return;
  const found = await lstat(directory);
  const uid = process.getuid?.();
  if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) throw new Error(`The folder ${directory} belongs to somebody else`);
}

function sharedPrefix(): string {
  return join(tmpdir(), 'turnpike-');
}
