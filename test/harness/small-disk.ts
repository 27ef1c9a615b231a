import { execFile } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const chunk = Buffer.alloc(1024 * 1024, 1);

/** A disk of a few megabytes at `path`, that can be filled to its last byte and emptied again. */
export interface SmallDisk {
  readonly path: string;
  readonly fill: () => Promise<void>;
  readonly empty: () => Promise<void>;
}

/**
 * Mounts a tmpfs. Whoever made the folder above it unmounts it: `unmountBelow`, which the guardian of a temporary home does.
 * @returns why it cannot be had here, where it cannot: it takes Linux and root.
 */
export async function mountSmallDisk(path: string, megabytes: number): Promise<SmallDisk | { readonly blocked: string }> {
  if (process.platform !== 'linux') return { blocked: `a small disk needs tmpfs, which ${process.platform} does not have` };
  if (process.getuid?.() !== 0) return { blocked: 'a small disk needs root, to mount a tmpfs' };
  await mkdir(path, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0711`, 'tmpfs', path]);
  } catch (error) {
    return { blocked: `mounting a tmpfs is refused here: ${error instanceof Error ? error.message.trim() : String(error)}` };
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: async () => {
      const file = await open(ballast, 'w');
      try {
        // The last bytes go one at a time: a record must not fit into what a whole chunk did not.
        for (let size = chunk.length; size >= 1; ) {
          const { bytesWritten } = await file.write(chunk, 0, size).catch(onlyWhenFull);
          if (bytesWritten < size) size = Math.floor(size / 16);
        }
      } finally {
        await file.close();
      }
    },
    empty: () => rm(ballast, { force: true }),
  };
}

function onlyWhenFull(error: unknown): { readonly bytesWritten: number } {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return { bytesWritten: 0 };
  throw error;
}

/** Unmounts whatever is mounted in a folder. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  const points = mounts.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '));
  for (const point of points.filter((one) => one.startsWith(`${folder}/`)).reverse()) await run('umount', ['-l', point]).catch(() => {});
}
