import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Tells one process from another that was given the same number later. */
export type ProcessIdentity = {
  readonly pid: number;
  /** When it started, in whatever form the system tells it; only ever compared for equality. */
  readonly startedAt: string;
  /** The name of the program, such as `postgres`. A program may change it while it runs, as Node does. */
  readonly command: string;
};

const run = promisify(execFile);

/** The process with this number, or null where none runs (one that has ended and waits to be collected counts as none). */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);
}

async function identifyByProc(pid: number): Promise<ProcessIdentity | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // `pid (command) state …`: the command may hold spaces and brackets, so the last bracket counts (proc(5)).
  const close = stat.lastIndexOf(')');
  const command = stat.slice(stat.indexOf('(') + 1, close);
  const fields = stat.slice(close + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  // Field 22 counts ticks since the machine's start: the machine's own identity must be part of it.
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid, startedAt: `${boot.trim()}/${fields[19]}`, command };
}

async function identifyByPs(pid: number): Promise<ProcessIdentity | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=', '-o', 'comm=', '-p', String(pid)], { timeout: 5_000 });
    // `Sat Nov 21 07:31:31 2026 /path/of/the/program`
    const words = stdout.trim().split(/\s+/);
    return { pid, startedAt: words.slice(0, 5).join(' '), command: words.slice(5).join(' ').split('/').at(-1) ?? '' };
  } catch {
    return null;
  }
}

/** Waits until the process has ended; false where it still runs after `timeoutMs`. */
export async function processEnded(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const end = performance.now() + timeoutMs; ; ) {
    const now = await identifyProcess(identity.pid);
    if (now === null || now.startedAt !== identity.startedAt) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
