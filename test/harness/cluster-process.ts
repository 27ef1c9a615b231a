import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { verbs } from '../../infra/bootstrap/verbs.mjs';
import { parseProcessMessage } from '../../services/runtime/process-messages.ts';
import { inheritedVariables } from './inherited-variables.ts';

/** Variables for a process; nothing of the surrounding shell but the path. */
export type Variables = Readonly<Record<string, string>>;

/** A process of a cluster that serves. It ends with this one. */
export type ClusterProcess = {
  readonly pid: number;
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** All it printed so far. */
  readonly output: () => string;
  /** Resolves once it has ended, asked for or not: with its exit code, or null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGKILL, in whatever it is doing. */
  readonly kill: () => Promise<void>;
  /** As an operator does. @returns its exit code. */
  readonly stop: () => Promise<number | null>;
};

/** A script of package.json that starts turnpike. */
type Verb = 'start' | 'turnpike' | `start:${'proxy' | 'ledger' | 'api' | 'simulator'}`;

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
/** Seconds on a quiet machine; only a process that hangs takes longer on a busy one. */
const startMs = 180_000;
const stopMs = 30_000;

function launch(verb: Verb, more: readonly string[], variables: Variables) {
  const child = spawn(process.execPath, [...(verbs[verb] ?? []), ...more], {
    cwd: projectFolder,
    env: { ...inheritedVariables(), TURNPIKE_LOG_LEVEL: 'warn', ...variables },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
  }
  const exited = once(child, 'close').then(() => child.exitCode);
  exited.catch(() => {});
  return { child, exited, output: () => output };
}

/** Runs a command of npm's scripts to its end. @returns what it printed. @throws Error with that where it exits with another code. */
export async function runVerb(verb: Verb, more: readonly string[], variables: Variables, exitCode = 0): Promise<string> {
  const { child, exited, output } = launch(verb, more, variables);
  const timer = setTimeout(() => child.kill('SIGKILL'), startMs);
  const code = await exited.finally(() => clearTimeout(timer));
  if (code !== exitCode) throw new Error(`${verb} ${more.join(' ')} ended with ${code}:\n${output()}`);
  return output();
}

/** Starts a process by the command of its npm script. @throws Error with what it printed where it does not come to serve in time. */
export async function startVerb(verb: Verb, variables: Variables): Promise<ClusterProcess> {
  const { child, exited, output } = launch(verb, [], variables);
  const message = once(child, 'message', { signal: AbortSignal.timeout(startMs) }).then(([first]) => parseProcessMessage(first));
  message.catch(() => {});
  const ready = await Promise.race([message, exited.then(() => null)]).catch(() => null);
  const url = ready?.kind === 'ready' ? ready.addresses.http : undefined;
  if (child.pid === undefined || url === undefined) {
    child.kill('SIGKILL');
    throw new Error(`${verb} did not start (${ready?.kind === 'refused' ? ready.reason : 'no answer'}):\n${output()}`);
  }
  return {
    pid: child.pid,
    url,
    output,
    exited,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      return exited.finally(() => clearTimeout(timer));
    },
  };
}
