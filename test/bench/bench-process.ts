import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Core } from './pinning.ts';
import { pinned } from './pinning.ts';

/** A helper process of the benchmark that listens on a port. It ends when its IPC channel closes. */
export type BenchProcess = {
  readonly pid: number;
  /** What it announced once it was ready, such as `{ port }`. */
  readonly announced: unknown;
  /** Sends a message and waits for the one that answers it. One question at a time. */
  readonly ask: (question: object, deadlineMs: number) => Promise<unknown>;
  readonly stop: () => Promise<void>;
};

const startMs = 10_000;

/** Starts a file as a process of its own on one core. */
export async function startBenchProcess(file: URL, core: Core, ...parameters: readonly string[]): Promise<BenchProcess> {
  const [program = '', ...rest] = pinned(core, [process.execPath, fileURLToPath(file), ...parameters]);
  const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const announced = await nextMessage(child, startMs);
  return {
    pid: child.pid ?? 0,
    announced,
    ask: async (question, deadlineMs) => {
      const answer = nextMessage(child, deadlineMs);
      child.send(question);
      return answer;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function nextMessage(child: ChildProcess, deadlineMs: number): Promise<unknown> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`no word from ${child.spawnfile} within ${deadlineMs} ms`)), deadlineMs);
  try {
    const ended = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => {
      throw new Error(`a process of the benchmark ended (${code ?? signal})`);
    });
    ended.catch(() => {});
    const [message] = await Promise.race([once(child, 'message', { signal: over.signal }), ended]);
    return message;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
