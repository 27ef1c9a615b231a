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
  const stat = fieldsOf(await readFile(`/proc/${pid}/stat`, 'utf8'));
  return { cpuUs: cpuUsOf(stat ?? [], false), residentBytes: await readResidentBytes(pid) };
}

/**
 * A process with all that descends from it, as servers with workers are. What ended meanwhile is counted by who waited for it;
 * a worker that outlives its parent is not found any more.
 */
export async function readTreeUsage(root: number): Promise<ProcessUsage> {
  const stats = new Map<number, { readonly parent: number; readonly cpuUs: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // One that has ended meanwhile is not counted.
    const fields = fieldsOf(await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null));
    if (fields !== null) stats.set(Number(name), { parent: Number(fields[1]), cpuUs: cpuUsOf(fields, true) });
  }
  const found = stats.get(root);
  if (found === undefined) throw new Error(`there is no process ${root}`);
  const tree = new Map([[root, found]]);
  // A child may stand before its parent: pids are used again.
  for (let before = 0; before < tree.size; ) {
    before = tree.size;
    for (const [pid, stat] of stats) if (tree.has(stat.parent)) tree.set(pid, stat);
  }
  const resident = await Promise.all([...tree.keys()].map((pid) => readResidentBytes(pid).catch(() => 0)));
  return {
    cpuUs: [...tree.values()].reduce((sum, { cpuUs }) => sum + cpuUs, 0),
    residentBytes: resident.reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** The cores a process may run on, as the kernel lists them: `0`, `0-1`. */
export async function readCores(pid: number): Promise<string> {
  return /^Cpus_allowed_list:\s+(\S+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'unknown';
}

/** CPU of each kind of thread of a process in microseconds, by the name the thread gave itself: the event loop is `node` or `MainThread`. */
export async function readThreadUsage(pid: number): Promise<ReadonlyMap<string, number>> {
  const usage = new Map<string, number>();
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    // One that has ended meanwhile is not counted.
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => null);
    const fields = fieldsOf(stat);
    if (stat === null || fields === null) continue;
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    usage.set(name, (usage.get(name) ?? 0) + cpuUsOf(fields, false));
  }
  return usage;
}

async function readResidentBytes(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** The fields of a line of `stat` from the third on: they follow the name, which may hold anything. */
function fieldsOf(stat: string | null): readonly string[] | null {
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** User and system time: fields 14 and 15 of `stat`, and 16 and 17 of the children it has waited for. */
function cpuUsOf(fields: readonly string[], withChildren: boolean): number {
  const ticks = fields.slice(11, withChildren ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1_000_000) / ticksPerSecond();
}

let known: number | null = null;

function ticksPerSecond(): number {
  known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return known;
}
