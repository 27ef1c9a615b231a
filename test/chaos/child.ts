import { setTimeout as wait } from 'node:timers/promises';
import type { ClusterProcess, Variables } from '../harness/cluster-process.ts';
import { startVerb } from '../harness/cluster-process.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import type { ProcessKind } from './plan-faults.ts';

/** A process of the product under an orchestrator: whenever it ends it is started again, with the port and the folder it had. */
export type Child = {
  readonly name: string;
  readonly kind: ProcessKind;
  /** Where it listens, whether it runs just now or not. */
  readonly url: () => string;
  readonly isUp: () => boolean;
  /** Resolves once it serves. */
  readonly up: (deadlineMs: number) => Promise<void>;
  /** SIGKILL. @param meanwhile is done before it is started again. @returns once it serves again. */
  readonly kill: (meanwhile?: () => Promise<void>) => Promise<void>;
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** How often it was started after its first start. */
  readonly restarts: () => number;
  /** Each end that nobody asked for and each start that failed, with how and what it said last. */
  readonly deaths: readonly string[];
  /** As an operator does, for good. @returns its exit code. */
  readonly stop: () => Promise<number | null>;
  /** Ends it in whatever way. */
  readonly end: () => Promise<void>;
  readonly output: () => string;
};

const restartMs = 300;
/** A process waits for a database that is away before it serves; and the machine may be busy with the others' starts. */
const upAgainMs = 180_000;
const lastWords = 2_000;
const nothing = async (): Promise<void> => {};

/** Starts a process and keeps it running. Rejects where its first start fails. */
export async function startChild(options: {
  readonly kind: ProcessKind;
  readonly number: number;
  readonly variables: Variables;
  readonly portVariable: string;
  /** Told when it ends under a signal of ours, before it is started again. */
  readonly onKilled: () => void;
}): Promise<Child> {
  const { kind, variables, portVariable } = options;
  const name = `${kind} ${options.number}`;
  const deaths: string[] = [];
  const past: string[] = [];
  let ending = false;
  let asked = false;
  let betweenStarts: () => Promise<void> = nothing;
  let restarts = 0;
  let running: ClusterProcess | null = null;
  const port = String(await freePort());
  const first = await startVerb(`start:${kind}`, { ...variables, [portVariable]: port });
  const url = first.url;

  const keep = async (): Promise<void> => {
    for (let current: ClusterProcess | null = first; !ending; ) {
      if (current !== null) {
        running = current;
        const code = await current.exited;
        running = null;
        past.push(current.output());
        if (ending) return;
        if (asked) options.onKilled();
        else deaths.push(`${name} ended by itself with ${code}: ${current.output().slice(-lastWords)}`);
        asked = false;
      }
      restarts += 1;
      await betweenStarts();
      betweenStarts = nothing;
      await wait(restartMs);
      current = await startVerb(`start:${kind}`, { ...variables, [portVariable]: port }).catch((error: unknown) => {
        deaths.push(`${name} did not start again: ${String(error).slice(-lastWords)}`);
        return null;
      });
      if (ending) await current?.kill();
    }
  };
  const kept = keep();
  const up = async (deadlineMs: number): Promise<void> => {
    await eventually(() => running !== null, deadlineMs);
  };
  return {
    name,
    kind,
    url: () => url,
    isUp: () => running !== null,
    up,
    kill: async (meanwhile = nothing) => {
      await up(upAgainMs);
      asked = true;
      betweenStarts = meanwhile;
      await running?.kill();
      await up(upAgainMs);
    },
    signal: (signal) => {
      if (running !== null) process.kill(running.pid, signal);
    },
    restarts: () => restarts,
    deaths,
    stop: async () => {
      ending = true;
      const code = (await running?.stop()) ?? null;
      await kept;
      return code;
    },
    end: async () => {
      ending = true;
      await running?.kill();
      await kept;
    },
    output: () => [...past, running?.output() ?? ''].join('\n[started again]\n'),
  };
}
