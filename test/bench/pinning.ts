import { execFile, execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

/** What is measured has a core to itself; upstream, load, PostgreSQL and every other process share the second. */
export type Core = 'measured' | 'rest';

const numbers: Readonly<Record<Core, number>> = { measured: 0, rest: 1 };

/** Of util-linux; not everywhere. */
const taskset = 'taskset';

/** Whether processes can be bound to cores here: `taskset` exists and there are two cores. */
export const canPin: boolean = availableParallelism() >= 2 && tasksetWorks();

function tasksetWorks(): boolean {
  try {
    execFileSync(taskset, ['-c', `${numbers.measured},${numbers.rest}`, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A command that runs on one core alone, and so do its children. Unchanged where processes cannot be bound. */
export function pinned(core: Core, command: readonly string[]): readonly string[] {
  return canPin ? [taskset, '-c', String(numbers[core]), ...command] : command;
}

/**
 * As {@link pinned}, behind everything else on that core. Where the books and the load share one core and are equal, the load starves and the
 * measured core waits for it: it falls asleep and wakes up for each few requests, and that is what would be measured.
 */
export function pinnedBehind(core: Core): readonly string[] {
  return canPin ? pinned(core, ['nice', '-n', '10']) : [];
}

/** Moves a running process with all its threads. */
export async function pinRunning(core: Core, pid: number): Promise<void> {
  if (canPin) await promisify(execFile)(taskset, ['-a', '-c', '-p', String(numbers[core]), String(pid)]);
}
