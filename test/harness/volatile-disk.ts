import { basename, dirname } from 'node:path';
import type { Disk, DiskFile } from '../../services/eventlog/disk.ts';
import type { seededRandom } from './seeded-random.ts';

/** `lost`: a sync that covered it failed. The process and its successors still see it, no later sync makes it durable. */
type Write = { readonly position: number; readonly bytes: Buffer; lost: boolean };
type Content = { durable: Buffer; unsynced: Write[] };

/**
 * A disk in memory that forgets like a real one: what was not synced may survive a power cut whole, in part, out of order or not
 * at all, and so may names that were made or removed without their folder being synced.
 */
export interface VolatileDisk extends Disk {
  /** Chance of a failing write and of a failing sync, which loses what it should have covered. */
  faults: number;
  /** What a later process finds after `kill -9`: every write is there. This disk answers nothing any more. */
  kill(): VolatileDisk;
  /** What a later process finds after a power cut. */
  powerCut(): VolatileDisk;
}

const SECTOR_BYTES = 512;

export function createVolatileDisk(random: ReturnType<typeof seededRandom>, found: ReadonlyMap<string, Content> = new Map()): VolatileDisk {
  const files = new Map(found);
  /** Names on disk for sure; what `files` has beyond or lacks is only in memory. */
  const durableNames = new Map(files);
  let dead = false;

  /** A dead process's calls never come back. */
  async function alive(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (dead) await new Promise(() => {});
  }

  function contentOf(path: string): Content {
    const content = files.get(path);
    if (content === undefined) throw fault('ENOENT');
    return content;
  }

  function fileOf(content: Content): DiskFile {
    return {
      write(bytes, position) {
        if (dead) return;
        if (random.fraction() < disk.faults) {
          content.unsynced.push({ position, bytes: Buffer.from(bytes.subarray(0, random.below(bytes.length))), lost: false });
          throw fault('ENOSPC');
        }
        content.unsynced.push({ position, bytes: Buffer.from(bytes), lost: false });
      },
      async sync() {
        const covered = new Set(content.unsynced);
        await alive();
        if (random.fraction() < disk.faults) {
          for (const write of covered) write.lost = true;
          throw fault('EIO');
        }
        content.unsynced = content.unsynced.filter((write) => write.lost || !covered.has(write));
        for (const write of covered) if (!write.lost) content.durable = applied(content.durable, write);
      },
      async read(position, length) {
        await alive();
        return content.unsynced.reduce(applied, content.durable).subarray(position, position + length);
      },
      close: async () => {},
    };
  }

  const disk: VolatileDisk = {
    faults: 0,
    makeDirectory: async () => {},
    async list(directory) {
      await alive();
      return [...files.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
    },
    async create(path) {
      await alive();
      if (files.has(path)) throw fault('EEXIST');
      if (random.fraction() < disk.faults) throw fault('ENOSPC');
      const content: Content = { durable: Buffer.alloc(0), unsynced: [] };
      files.set(path, content);
      return fileOf(content);
    },
    async open(path) {
      await alive();
      return fileOf(contentOf(path));
    },
    async readFile(path) {
      await alive();
      const { durable, unsynced } = contentOf(path);
      return unsynced.reduce(applied, durable);
    },
    async copy(from, to) {
      files.set(to, { ...contentOf(from) });
    },
    async truncate(path, length) {
      const content = contentOf(path);
      content.durable = content.unsynced.reduce(applied, content.durable).subarray(0, length);
      content.unsynced = [];
    },
    async remove(path) {
      await alive();
      files.delete(path);
    },
    async syncDirectory(directory) {
      await alive();
      for (const path of [...durableNames.keys()]) if (dirname(path) === directory && !files.has(path)) durableNames.delete(path);
      for (const [path, content] of files) if (dirname(path) === directory) durableNames.set(path, content);
    },
    kill() {
      dead = true;
      return createVolatileDisk(random, files);
    },
    powerCut() {
      dead = true;
      const left = new Map<string, Content>();
      for (const [path, content] of new Map([...durableNames, ...files])) {
        const certain = durableNames.has(path) && files.has(path);
        if (certain || random.fraction() < 0.5) left.set(path, { durable: afterPowerCut(content), unsynced: [] });
      }
      return createVolatileDisk(random, left);
    },
  };

  /** Each unsynced write in whole sectors, some of them, in any order. */
  function afterPowerCut({ durable, unsynced }: Content): Buffer {
    let bytes = durable;
    for (const write of unsynced) {
      if (write.lost || random.fraction() < 0.3) continue;
      for (let at = 0; at < write.bytes.length; at += SECTOR_BYTES) {
        if (random.fraction() < 0.2) continue;
        bytes = applied(bytes, { ...write, position: write.position + at, bytes: write.bytes.subarray(at, at + SECTOR_BYTES) });
      }
    }
    return bytes;
  }

  return disk;
}

function applied(content: Buffer, { position, bytes }: Pick<Write, 'position' | 'bytes'>): Buffer {
  const result = Buffer.alloc(Math.max(content.length, position + bytes.length));
  content.copy(result);
  bytes.copy(result, position);
  return result;
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
