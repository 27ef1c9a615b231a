import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

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
  // The name in brackets may hold anything; after it field 14 is user, 15 system time, counted from field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const residentKibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuUs: (ticks * 1_000_000) / ticksPerSecond(), residentBytes: residentKibibytes * 1024 };
}

let known: number | null = null;

function ticksPerSecond(): number {
  known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return known;
}
