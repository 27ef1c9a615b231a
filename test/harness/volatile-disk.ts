import { basename, dirname } from 'node:path';
import type { Disk, DiskFile } from '../../services/eventlog/disk.ts';
import type { seededRandom } from './seeded-random.ts';

/** `lost`: a sync that covered it failed. The process and its successors still see it, no later sync makes it durable. */
export type DiskWrite = { readonly position: number; readonly bytes: Buffer; lost: boolean };
type Content = { durable: Buffer; unsynced: DiskWrite[] };

/**
 * A disk in memory that forgets like a real one: what was not synced may survive a power cut whole, in part, out of order or not
 * at all, and so may names that were made or removed without their folder being synced.
 */
export interface VolatileDisk extends Disk {
  /** Chance of a write that fails behind part of its bytes, of a failing sync, which loses what it should have covered, and of a failing create. */
  faults: number;
  /** Chance of a sync that says it is done and has done nothing; a later honest one of the same file makes up for it. */
  lies: number;
  /** It takes no byte and no file more. */
  full: boolean;
  /** What a later process finds after `kill -9`: every write is there. This disk answers nothing any more. */
  kill(): VolatileDisk;
  /** What a later process finds after a power cut. */
  powerCut(): VolatileDisk;
  /** Everything in the files whose paths begin so, as a process would read it now. */
  contents(prefix: string): ReadonlyMap<string, Buffer>;
}

/** Told of what becomes of bytes: the truth, whatever the process is told. */
export interface DiskObserver {
  written(path: string, write: DiskWrite): void;
  durable(path: string, writes: readonly DiskWrite[]): void;
  /** A sync claimed to have made these durable. */
  lied(path: string, writes: readonly DiskWrite[]): void;
  failed(path: string, operation: 'write' | 'sync' | 'create'): void;
}

export interface VolatileDiskOptions {
  /** Time passes. Every operation that waits waits for it once. */
  readonly turn?: (operation: string) => Promise<void>;
  readonly observer?: DiskObserver;
}

const SECTOR_BYTES = 512;
const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

type Platter = { readonly files: ReadonlyMap<string, Content>; readonly durableNames: ReadonlyMap<string, Content> };

export function createVolatileDisk(
  random: Pick<ReturnType<typeof seededRandom>, 'fraction' | 'below'>,
  options: VolatileDiskOptions = {},
  found: Platter = { files: new Map(), durableNames: new Map() },
): VolatileDisk {
  const { turn = nextTurn, observer } = options;
  const files = new Map(found.files);
  /** Names on disk for sure; what `files` has beyond or lacks is only in memory. */
  const durableNames = new Map(found.durableNames);
  let dead = false;

  /** A dead process's calls never come back. */
  async function alive(operation: string): Promise<void> {
    await turn(operation);
    if (dead) await new Promise(() => {});
  }

  function contentOf(path: string): Content {
    const content = files.get(path);
    if (content === undefined) throw fault('ENOENT');
    return content;
  }

  function fileOf(path: string, content: Content): DiskFile {
    return {
      write(bytes, position) {
        if (dead) return;
        if (disk.full || random.fraction() < disk.faults) {
          const torn = { position, bytes: Buffer.from(bytes.subarray(0, random.below(bytes.length))), lost: false };
          content.unsynced.push(torn);
          observer?.written(path, torn);
          observer?.failed(path, 'write');
          throw fault('ENOSPC');
        }
        const write = { position, bytes: Buffer.from(bytes), lost: false };
        content.unsynced.push(write);
        observer?.written(path, write);
      },
      async sync() {
        const covered = new Set(content.unsynced);
        await alive('sync');
        if (random.fraction() < disk.faults) {
          for (const write of covered) write.lost = true;
          observer?.failed(path, 'sync');
          throw fault('EIO');
        }
        const kept = [...covered].filter((write) => !write.lost);
        if (disk.lies > 0 && kept.length > 0 && random.fraction() < disk.lies) {
          observer?.lied(path, kept);
          return;
        }
        content.unsynced = content.unsynced.filter((write) => write.lost || !covered.has(write));
        content.durable = kept.reduce(applied, content.durable);
        observer?.durable(path, kept);
      },
      async read(position, length) {
        await alive('read');
        return content.unsynced.reduce(applied, content.durable).subarray(position, position + length);
      },
      close: async () => {},
    };
  }

  const disk: VolatileDisk = {
    faults: 0,
    lies: 0,
    full: false,
    makeDirectory: async () => {},
    async list(directory) {
      await alive('list');
      return [...files.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
    },
    async create(path) {
      await alive('create');
      if (files.has(path)) throw fault('EEXIST');
      if (disk.full || random.fraction() < disk.faults) {
        observer?.failed(path, 'create');
        throw fault('ENOSPC');
      }
      const content: Content = { durable: Buffer.alloc(0), unsynced: [] };
      files.set(path, content);
      return fileOf(path, content);
    },
    async open(path) {
      await alive('open');
      return fileOf(path, contentOf(path));
    },
    async readFile(path) {
      await alive('readFile');
      const { durable, unsynced } = contentOf(path);
      return unsynced.reduce(applied, durable);
    },
    async copy(from, to) {
      files.set(to, { ...contentOf(from) });
    },
    async truncate(path, length) {
      const content = contentOf(path);
      content.durable = content.durable.subarray(0, length);
      const reaching = content.unsynced.filter(({ position }) => position < length);
      content.unsynced = reaching.map((write) =>
        write.position + write.bytes.length <= length ? write : { ...write, bytes: write.bytes.subarray(0, length - write.position) },
      );
    },
    async rewrite(path, bytes) {
      await alive('rewrite');
      const content = contentOf(path);
      if (random.fraction() < disk.faults) {
        observer?.failed(path, 'sync');
        throw fault('EIO');
      }
      content.durable = Buffer.from(bytes);
      observer?.durable(path, content.unsynced);
      content.unsynced = [];
    },
    async remove(path) {
      await alive('remove');
      files.delete(path);
    },
    async syncDirectory(directory) {
      await alive('syncDirectory');
      for (const path of [...durableNames.keys()]) if (dirname(path) === directory && !files.has(path)) durableNames.delete(path);
      for (const [path, content] of files) if (dirname(path) === directory) durableNames.set(path, content);
    },
    kill() {
      dead = true;
      return createVolatileDisk(random, options, { files, durableNames });
    },
    powerCut() {
      dead = true;
      const left = new Map<string, Content>();
      for (const [path, content] of new Map([...durableNames, ...files])) {
        const certain = durableNames.get(path) === content && files.get(path) === content;
        if (certain || random.fraction() < 0.5) left.set(path, { durable: afterPowerCut(content), unsynced: [] });
      }
      return createVolatileDisk(random, options, { files: left, durableNames: left });
    },
    contents(prefix) {
      const found = [...files].filter(([path]) => path.startsWith(prefix));
      return new Map(found.map(([path, { durable, unsynced }]) => [path, unsynced.reduce(applied, durable)]));
    },
  };

  /** Each unsynced write in whole sectors, some of them, in any order. */
  function afterPowerCut({ durable, unsynced }: Content): Buffer {
    let bytes = durable;
    for (const write of unsynced) {
      if (write.lost || random.fraction() < 0.3) continue;
      for (let at = 0; at < write.bytes.length; at += SECTOR_BYTES) {
        if (random.fraction() < 0.2) continue;
        bytes = applied(bytes, { position: write.position + at, bytes: write.bytes.subarray(at, at + SECTOR_BYTES) });
      }
    }
    return bytes;
  }

  return disk;
}

function applied(content: Buffer, { position, bytes }: Pick<DiskWrite, 'position' | 'bytes'>): Buffer {
  const result = Buffer.alloc(Math.max(content.length, position + bytes.length));
  content.copy(result);
  bytes.copy(result, position);
  return result;
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
