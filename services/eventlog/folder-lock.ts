import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { makeSocketDirectory, socketPath } from './socket-path.ts';

/** Sole ownership of a folder by one living process. */
export interface FolderLock {
  /** Number of this ownership, from 1; no two owners ever have the same. */
  readonly epoch: number;
  /** Makes the number after the own one nobody's: the next owner gets a later one. Once. @returns it. */
  claimNext(): Promise<number>;
  /** Whether the folder has a later number: the one that `claimNext` took, or a later owner's. */
  hasLater(): Promise<boolean>;
  release(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 2_000;

/**
 * Takes a folder. Proof that the last owner is dead: its Unix socket refuses a connection (a stopped owner still accepts), and
 * then exactly one of those who saw it makes the next `epoch-<n>` file, whose socket already listens (reference/leases.md section 8).
 * Nothing is judged by process ids, which are used again.
 * @throws {FolderInUseError} when its owner lives, or another process was quicker.
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const last = await lastEpoch(directory);
  const lastSocket = last === 0 ? null : await readFile(epochPath(directory, last), 'utf8');
  if (lastSocket !== null && (await accepts(lastSocket))) throw new FolderInUseError(directory);
  const path = socketPath(directory, `${randomBytes(6).toString('hex')}.lock`);
  const server = await listen(path);
  const epoch = last + 1;
  const draft = join(directory, `.epoch-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, path, { mode: 0o600, flush: true });
    await link(draft, epochPath(directory, epoch));
    // Somebody slow may make a number that was used and removed meanwhile: the newest owner is the owner.
    if ((await lastEpoch(directory)) > epoch) {
      await unlink(epochPath(directory, epoch)).catch(() => {});
      throw new FolderInUseError(directory);
    }
  } catch (error) {
    await close(server);
    throw isCode(error, 'EEXIST') ? new FolderInUseError(directory) : error;
  } finally {
    await unlink(draft).catch(() => {});
  }
  if (lastSocket !== null) await unlink(lastSocket).catch(() => {});
  await removeOlder(directory, epoch);
  return {
    epoch,
    claimNext: async () => {
      // It names the same socket, so until the release nobody takes the owner for dead.
      await writeFile(draft, path, { mode: 0o600, flush: true });
      await link(draft, epochPath(directory, epoch + 1)).finally(() => unlink(draft).catch(() => {}));
      return epoch + 1;
    },
    hasLater: async () => (await lastEpoch(directory)) > epoch,
    release: () => close(server),
  };
}

/** The folder has a living owner. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';

  constructor(directory: string) {
    super(`Another process uses ${directory}`);
  }
}

function epochPath(directory: string, epoch: number): string {
  return join(directory, `epoch-${epoch}`);
}

async function epochs(directory: string): Promise<readonly number[]> {
  return (await readdir(directory)).flatMap((name) => {
    const match = /^epoch-(\d+)$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

async function lastEpoch(directory: string): Promise<number> {
  return Math.max(0, ...(await epochs(directory)));
}

/** The newest epoch file is all that is needed. */
async function removeOlder(directory: string, epoch: number): Promise<void> {
  for (const older of await epochs(directory)) if (older < epoch) await unlink(epochPath(directory, older)).catch(() => {});
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    // One that neither accepts nor refuses is not proved dead.
    socket.setTimeout(PROBE_TIMEOUT_MS, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (isCode(error, 'ECONNREFUSED') || isCode(error, 'ENOENT')) resolve(false);
      else if (isCode(error, 'EAGAIN')) resolve(true);
      else reject(error);
    });
  });
}

async function listen(path: string): Promise<Server> {
  await makeSocketDirectory(path);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.unref();
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
