import type { FolderLock } from '../../services/eventlog/folder-lock.ts';
import { FolderInUseError } from '../../services/eventlog/folder-lock.ts';
import type { DiskObserver, VolatileDisk } from '../harness/volatile-disk.ts';
import { createVolatileDisk } from '../harness/volatile-disk.ts';
import type { Dice } from './dice.ts';
import type { Counts } from './faults/counts.ts';
import type { Life } from './life.ts';
import type { MachineClock } from './machine-clock.ts';
import { createMachineClock } from './machine-clock.ts';
import type { Scheduler } from './scheduler.ts';

/** A machine: a disk and a clock that outlive the processes on it. */
export interface Machine {
  readonly name: string;
  readonly clock: MachineClock;
  /** Another one after each power cut. */
  boot: string;
  /** The disk as the present process sees it; another object after each death. */
  disk: VolatileDisk;
  /** Syncs take this much longer, at most. */
  slowMs: number;
  /** Sole ownership of a folder, as the product's own lock gives it. */
  lock(life: Life): (directory: string) => Promise<FolderLock>;
  /** The process is dead: what is left is on the disk. */
  loseProcess(how: 'kill' | 'power cut'): void;
}

export function createMachine(options: {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly counts: Counts;
  /** Longest a sync takes while nothing slows it. */
  readonly syncMs: number;
  readonly observer?: DiskObserver;
}): Machine {
  const { name, scheduler, dice, counts, observer } = options;
  const epochs = new Map<string, { epoch: number; owner: Life; boot: string }>();
  const counted: DiskObserver = {
    written: (path, write) => observer?.written(path, write),
    durable: (path, writes) => observer?.durable(path, writes),
    lied: (path, writes) => {
      counts.add('disk: sync that lies');
      observer?.lied(path, writes);
    },
    failed: (path, operation) => {
      counts.add(`disk: ${operation} fails`);
      observer?.failed(path, operation);
    },
  };
  const turn = (operation: string): Promise<void> =>
    new Promise((resolve) => {
      const delayMs = operation === 'sync' ? dice.between(0.1, options.syncMs) + dice.between(0, machine.slowMs) : dice.between(0.02, 1);
      scheduler.after(delayMs, `${name} disk ${operation}`, resolve);
    });

  const machine: Machine = {
    name,
    boot: `${name} 1`,
    clock: createMachineClock(scheduler, dice.between(-400, 400), dice.between(-0.0002, 0.0002)),
    disk: createVolatileDisk(dice, { turn, observer: counted }),
    slowMs: 0,
    lock: (life) => (directory) =>
      life.call('lock', async () => {
        await turn('lock');
        const last = epochs.get(directory);
        // A lock is one kernel's: another machine does not see it.
        if (last?.owner.alive === true && last.owner !== life && last.boot === machine.boot) throw new FolderInUseError(directory);
        const epoch = (last?.epoch ?? 0) + 1;
        const { boot } = machine;
        epochs.set(directory, { epoch, owner: life, boot });
        const claimNext = async (): Promise<number> => {
          epochs.set(directory, { epoch: epoch + 1, owner: life, boot });
          return epoch + 1;
        };
        const hasLater = async (): Promise<boolean> => (epochs.get(directory)?.epoch ?? 0) > epoch;
        return { epoch, claimNext, hasLater, release: async () => {} };
      }),
    loseProcess: (how) => {
      if (how === 'power cut') machine.boot = `${name} ${Number(machine.boot.split(' ')[1]) + 1}`;
      const { faults, lies, full } = machine.disk;
      machine.disk = how === 'kill' ? machine.disk.kill() : machine.disk.powerCut();
      Object.assign(machine.disk, { faults, lies, full });
    },
  };
  return machine;
}
