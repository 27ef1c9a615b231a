import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEndpoints } from '../../../../services/cli/start/endpoints.ts';
import { eventually } from '../../../harness/eventually.ts';

/** One run of fake-start.ts. */
export type Run = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** All it has printed so far. */
  readonly output: () => string;
  readonly ready: () => Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
};

/** A home of a test's own, with a space in its path, and what runs on it. */
export type StartedHome = AsyncDisposable & {
  readonly path: string;
  readonly start: (variables?: Readonly<Record<string, string>>) => Run;
  /** Process numbers of whatever names this home in its environment, PostgreSQL included. */
  readonly processes: () => Promise<number[]>;
  /** The process behind the proxy's address in endpoints.json; rejects while nobody answers. */
  readonly proxyPid: () => Promise<number>;
};

const fakeStart = fileURLToPath(new URL('fake-start.ts', import.meta.url));

export async function createStartedHome(): Promise<StartedHome> {
  const path = await mkdtemp(join(tmpdir(), 'turn pike-'));
  // As root, so that PostgreSQL's user can pass and everything stays in this folder.
  await chmod(path, 0o711);

  const processes = async (): Promise<number[]> => {
    const found: number[] = [];
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (environment.includes(`TURNPIKE_HOME=${path}`) || command.includes(path)) found.push(Number(entry));
    }
    return found;
  };

  return {
    path,
    processes,
    start: (variables = {}) => {
      const child = spawn(process.execPath, [fakeStart], {
        env: {
          ...process.env,
          TURNPIKE_HOME: path,
          TURNPIKE_PROXY_PORT: '0',
          TURNPIKE_API_PORT: '0',
          TURNPIKE_SIM_PORT: '0',
          ...variables,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (part) => {
        output += part;
      });
      child.stderr.setEncoding('utf8').on('data', (part) => {
        output += part;
      });
      const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
        child.once('close', (code, signal) => resolve(code ?? signal)),
      );
      let over = false;
      void ended.then(() => {
        over = true;
      });
      return {
        child,
        pid: child.pid ?? 0,
        output: () => output,
        ready: async () => {
          await eventually(() => over || / s {2}ready/.test(output), 30_000);
          if (over) throw new Error(`it ended instead:\n${output}`);
        },
        ended,
      };
    },
    proxyPid: async () => {
      const endpoints = await readEndpoints(path);
      const response = await fetch(`${endpoints?.proxyUrl}/pid`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(1_000) });
      return Number(await response.text());
    },
    [Symbol.asyncDispose]: async () => {
      for (const pid of await processes()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended meanwhile.
        }
      }
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
