import type { Disk, DiskFile } from '../../services/eventlog/disk.ts';
import { machineDisk } from '../../services/eventlog/disk.ts';

/** A real disk whose faults a test switches on and off. */
export interface FaultyDisk extends Disk {
  /** Error code every write fails with after `writeBytesLeft` more bytes; null = works. */
  writeFault: string | null;
  /** How many bytes of the failing write still reach the file: a torn write. */
  tornBytes: number;
  /** Error code every sync fails with. A failed sync also loses what it should have covered, as the kernel may. */
  syncFault: string | null;
  /** Error code with which new files fail. */
  createFault: string | null;
  /** Keeps syncs waiting until set to false. */
  syncHeld: boolean;
  readonly syncs: number;
}

export function createFaultyDisk(): FaultyDisk {
  let syncs = 0;
  const disk: FaultyDisk = {
    ...machineDisk,
    writeFault: null,
    tornBytes: 0,
    syncFault: null,
    createFault: null,
    syncHeld: false,
    get syncs() {
      return syncs;
    },
    async create(path) {
      if (disk.createFault !== null) throw fault(disk.createFault);
      return faulty(await machineDisk.create(path));
    },
  };

  function faulty(file: DiskFile): DiskFile {
    let unsynced: { position: number; length: number }[] = [];
    return {
      ...file,
      write(bytes, position) {
        if (disk.writeFault !== null) {
          file.write(bytes.subarray(0, disk.tornBytes), position);
          throw fault(disk.writeFault);
        }
        file.write(bytes, position);
        unsynced.push({ position, length: bytes.length });
      },
      async sync() {
        syncs++;
        while (disk.syncHeld) await new Promise<void>((resolve) => setTimeout(resolve, 5));
        if (disk.syncFault !== null) {
          for (const { position, length } of unsynced) file.write(Buffer.alloc(length), position);
          unsynced = [];
          throw fault(disk.syncFault);
        }
        unsynced = [];
        await file.sync();
      },
    };
  }

  return disk;
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
