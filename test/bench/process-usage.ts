import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

/** What a process used of the machine so far. */
export type ProcessUsage = {
  /** User and system time of all its threads, in microseconds; the kernel counts in ticks of 10 ms. */
  readonly cpuUs: number;
  /** Resident memory now, in bytes. */
  readonly residentBytes: number;
};

/** Reads `/proc/<pid>` (proc(5)); Linux alone has it. */
export async function readProcessUsage(pid: number): Promise<ProcessUsage> {
  const [stat, status] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/status`, 'utf8')]);
  const residentKibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuUs: cpuUsOf(stat), residentBytes: residentKibibytes * 1024 };
}

/** CPU of each kind of thread of a process in microseconds, by the name the thread gave itself: the event loop is `node` or `MainThread`. */
export async function readThreadUsage(pid: number): Promise<ReadonlyMap<string, number>> {
  const usage = new Map<string, number>();
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    // One that has ended meanwhile is not counted.
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => null);
    if (stat === null) continue;
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    usage.set(name, (usage.get(name) ?? 0) + cpuUsOf(stat));
  }
  return usage;
}

/** User and system time out of a line of `stat`: fields 14 and 15, counted from field 3 behind the name, which may hold anything. */
function cpuUsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond();
}

let known: number | null = null;

function ticksPerSecond(): number {
  known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return known;
}
