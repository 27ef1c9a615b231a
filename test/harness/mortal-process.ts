import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseProcessMessage } from '../../services/runtime/process-messages.ts';
import type { Variables } from './cluster-process.ts';
import { inheritedVariables } from './inherited-variables.ts';

/** One life of a process, which may end at any moment. It ends with this one. */
export type MortalProcess = {
  readonly pid: number;
  /** Where it listens once it serves; null where it ended before. */
  readonly ready: Promise<string | null>;
  /** How it ended: its exit code, or the signal that did it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly hasEnded: () => boolean;
  /** All it printed so far. */
  readonly output: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
};

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Starts one of the product's processes from the working tree, with nothing of the surrounding shell but the path. */
export function launchMortal(name: 'proxy' | 'ledger' | 'api', variables: Variables): MortalProcess {
  const child = spawn(process.execPath, [`services/${name}/main.ts`], {
    cwd: projectFolder,
    env: { ...inheritedVariables(), TURNPIKE_LOG_LEVEL: 'warn', ...variables },
    // The IPC channel tells it when we are gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
  }
  let hasEnded = false;
  const ended = once(child, 'close').then((): number | NodeJS.Signals => {
    hasEnded = true;
    return child.signalCode ?? child.exitCode ?? 0;
  });
  const told = once(child, 'message').then(([message]) => {
    const parsed = parseProcessMessage(message);
    return parsed?.kind === 'ready' ? (parsed.addresses.http ?? null) : null;
  });
  return {
    pid: child.pid,
    ready: Promise.race([told, ended.then(() => null)]),
    ended,
    hasEnded: () => hasEnded,
    output: () => output,
    signal: (signal) => {
      child.kill(signal);
    },
  };
}
