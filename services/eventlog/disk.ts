import { fdatasync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants, copyFile, mkdir, open, readdir, readFile, truncate, unlink } from 'node:fs/promises';

/**
 * Where bytes stay. A seam: the simulation runs the spool and the embedded log on a disk that tears writes, lies about syncs
 * and fills up. Every method throws the operating system's error (`code` ENOSPC, EROFS, EIO …).
 */
export interface Disk {
  /** Makes the folder and those above it, for its owner only. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a folder, in no order. */
  list(path: string): Promise<readonly string[]>;
  /** A new empty file to read and write, for its owner only. @throws EEXIST when there is one. */
  create(path: string): Promise<DiskFile>;
  /** An existing file to read. */
  open(path: string): Promise<DiskFile>;
  readFile(path: string): Promise<Buffer>;
  copy(from: string, to: string): Promise<void>;
  truncate(path: string, length: number): Promise<void>;
  /** Writes a file's bytes once more, in place, and syncs them. */
  rewrite(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names made or removed in a folder durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface DiskFile {
  /** Writes all of it at this position, without giving up the event loop: after it the bytes survive the process's death. */
  write(bytes: Uint8Array, position: number): void;
  /** After it the bytes survive the machine's loss. A failure means they may be gone, even if a later sync succeeds. */
  sync(): Promise<void>;
  /** Up to `length` bytes; fewer at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** The machine's own disk. */
export const machineDisk: Disk = {
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  create: async (path) => machineFile(await open(path, 'wx+', 0o600)),
  open: async (path) => machineFile(await open(path, 'r')),
  readFile: (path) => readFile(path),
  copy: (from, to) => copyFile(from, to, constants.COPYFILE_FICLONE),
  truncate: (path, length) => truncate(path, length),
  rewrite: async (path, bytes) => {
    const file = machineFile(await open(path, 'r+'));
    try {
      file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  remove: (path) => unlink(path),
  syncDirectory: async (path) => {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function machineFile(handle: FileHandle): DiskFile {
  return {
    write(bytes, position) {
      let written = 0;
      while (written < bytes.length) written += writeSync(handle.fd, bytes, written, bytes.length - written, position + written);
    },
    // The size of a growing file is data to fdatasync; times and owners are not, and we do not need them.
    sync: () =>
      new Promise((resolve, reject) => {
        fdatasync(handle.fd, (error) => (error === null ? resolve() : reject(error)));
      }),
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length);
      let read = 0;
      while (read < length) {
        const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return buffer.subarray(0, read);
    },
    close: () => handle.close(),
  };
}
