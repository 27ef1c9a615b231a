import { existsSync } from 'node:fs';
import type { Log } from '../../runtime/log.ts';
import { machineDisk } from '../disk.ts';
import { lockFolder } from '../folder-lock.ts';
import { recoverSegments } from '../segments/recovery.ts';
import { countRejected } from './rejected-file.ts';
import { foldSpool } from './spool-recovery.ts';

/** What a spool still owes. */
export interface SpoolDebt {
  /** Requests that were opened and never settled; a start settles them as orphans. */
  readonly open: number;
  /** Settled requests that are not known to be in the event log. */
  readonly unsent: number;
  /** Events that the event log refused for good: they stand in the folder's `rejected-….jsonl` and in no books. */
  readonly setAside: number;
}

/**
 * Counts what the spool in a folder still owes, without a sender. A spool that never was owes nothing.
 * @throws {FolderInUseError} when a living process has it.
 */
export async function inspectSpool(directory: string, log: Log): Promise<SpoolDebt> {
  if (!existsSync(directory)) return { open: 0, unsent: 0, setAside: 0 };
  const lock = await lockFolder(directory);
  try {
    const fold = foldSpool();
    await recoverSegments({ disk: machineDisk, directory, log, onFrame: fold.add });
    const { open, unsent } = fold.contents();
    return { open: open.size, unsent: unsent.length, setAside: await countRejected(directory) };
  } finally {
    await lock.release();
  }
}
