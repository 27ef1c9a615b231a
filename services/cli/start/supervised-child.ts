import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../runtime/clock.ts';
import { parseProcessMessage } from '../../runtime/process-messages.ts';
import { PlainFailure, StartRefusal } from '../../runtime/start-refusal.ts';
import type { Variables } from '../../runtime/variables.ts';
import { forgetChild, recordChild } from './leftovers.ts';
import { createLineSplitter, gistOf } from './output-lines.ts';
import { restartVerdict } from './restart-policy.ts';

/** What to run as a child, as data. */
export type ChildSpecification = {
  readonly name: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Variables;
  /** The variable that chooses its port: a child that comes back gets the port it had. Null where it has none of its own. */
  readonly portVariable: string | null;
};

export type SupervisedChildOptions = {
  readonly specification: ChildSpecification;
  readonly runFolder: string;
  readonly clock: Clock;
  /** A line of its output, for the terminal. */
  readonly onLine: (line: string) => void;
  /** That it died or came back, in words for a person. */
  readonly onNotice: (line: string) => void;
  /** It cannot be kept running; called once at most, and only after it had been ready. */
  readonly onGiveUp: (error: Error) => void;
  /** How long it may take from its start to being ready. 30 s. */
  readonly readyTimeoutMs?: number;
};

export type SupervisedChild = {
  readonly name: string;
  /** Starts it, again after early deaths, and resolves with its addresses once it serves. Rejects where it refuses or is given up. */
  readonly start: () => Promise<Readonly<Record<string, string>>>;
  /** SIGTERM, and SIGKILL to its whole group after `graceMs`. Resolves when it has ended; without a process at once. */
  readonly stop: (graceMs: number) => Promise<void>;
  /** SIGKILL now. */
  readonly kill: () => void;
};

/** How many deaths are remembered. The policy looks back over three. */
const rememberedDeaths = 20;

/** Keeps one child process running until told to stop. */
export function createSupervisedChild(options: SupervisedChildOptions): SupervisedChild {
  const { specification, clock, onNotice } = options;
  const { name } = specification;
  const firstReady = Promise.withResolvers<Readonly<Record<string, string>>>();
  // Whoever stops it while it starts may never ask for the outcome.
  firstReady.promise.catch(() => {});
  let variables = specification.environment;
  let deathsMs: readonly number[] = [];
  let wasReady = false;
  let stopping = false;
  let current: { readonly process: ChildProcess; readonly ended: Promise<void> } | null = null;
  let restartTimer: NodeJS.Timeout | null = null;

  const giveUp = (error: Error): void => {
    firstReady.reject(error);
    if (wasReady) options.onGiveUp(error);
  };

  const becameReady = (addresses: Readonly<Record<string, string>>): void => {
    if (wasReady) onNotice(`${name} is back`);
    wasReady = true;
    const port = URL.parse(addresses.http ?? '')?.port;
    if (specification.portVariable !== null && port) variables = { ...variables, [specification.portVariable]: port };
    firstReady.resolve(addresses);
  };

  const died = (how: string, refusal: string | null): void => {
    if (stopping) return;
    if (refusal !== null) {
      giveUp(new StartRefusal(refusal));
      return;
    }
    deathsMs = [...deathsMs, clock.monotonic()].slice(-rememberedDeaths);
    const verdict = restartVerdict(deathsMs);
    if (verdict.kind === 'stop-everything') {
      giveUp(new PlainFailure(`${name} ended ${how}; that was the third time within a minute, so everything stops`));
      return;
    }
    onNotice(`${name} ended ${how}; it starts again in ${verdict.afterMs / 1_000} s`);
    restartTimer = setTimeout(run, verdict.afterMs);
  };

  const run = (): void => {
    const child = spawn(specification.program, specification.arguments, {
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: the terminal's Ctrl-C is for the supervisor, which stops its children in order.
      detached: true,
    });
    const words = lastWords(child, options.onLine);
    let refusal: string | null = null;
    let overdue = '';
    const readyTimeoutMs = options.readyTimeoutMs ?? 30_000;
    const deadline = setTimeout(() => {
      overdue = `, not ready after ${readyTimeoutMs / 1_000} s`;
      killGroup(child);
    }, readyTimeoutMs);
    child.on('message', (message) => {
      const parsed = parseProcessMessage(message);
      if (parsed?.kind === 'refused') refusal = parsed.reason;
      if (parsed?.kind === 'ready') {
        clearTimeout(deadline);
        becameReady(parsed.addresses);
      }
    });
    const recorded = child.pid === undefined ? Promise.resolve() : recordChild(options.runFolder, name, child.pid);
    const ended = endOf(child).then(async (how) => {
      clearTimeout(deadline);
      await recorded;
      await forgetChild(options.runFolder, name);
      current = null;
      const said = words();
      died(`(${how}${overdue})${said === '' ? '' : `: ${said}`}`, refusal);
    });
    ended.catch(giveUp);
    current = { process: child, ended };
  };

  return {
    name,
    start: () => {
      run();
      return firstReady.promise;
    },
    stop: async (graceMs) => {
      stopping = true;
      if (restartTimer !== null) clearTimeout(restartTimer);
      if (current === null) return;
      const { process: child, ended } = current;
      child.kill('SIGTERM');
      const impatience = setTimeout(() => {
        onNotice(`${name} did not stop within ${graceMs / 1_000} s and was killed`);
        killGroup(child);
      }, graceMs);
      await ended.finally(() => clearTimeout(impatience));
    },
    kill: () => {
      stopping = true;
      if (restartTimer !== null) clearTimeout(restartTimer);
      if (current !== null) killGroup(current.process);
    },
  };
}

/** A line that names an error: a structured record of one, or the head of a stack (below it Node prints more, up to its version). */
const namesError = /^(\{"level":"(error|fatal)"|(Uncaught )?([A-Z]\w*)?Error\b)/;

/** Passes the child's output on, line by line, and remembers its last words: an error it named, else what stood on standard error, else at all. */
function lastWords(child: ChildProcess, onLine: (line: string) => void): () => string {
  const last = { named: '', error: '', any: '' };
  const splitter = (kind: 'error' | 'any') =>
    createLineSplitter((line) => {
      if (line.trim() !== '') last[kind] = line;
      if (namesError.test(line)) last.named = line;
      onLine(line);
    });
  const output = splitter('any');
  const errors = splitter('error');
  child.stdout?.setEncoding('utf8').on('data', output.push).on('end', output.end);
  child.stderr?.setEncoding('utf8').on('data', errors.push).on('end', errors.end);
  return () => gistOf(last.named || last.error || last.any);
}

/** How a child ended, told once its output has been read too; a grandchild that holds the pipe open delays it by no more than this. */
const outputGraceMs = 500;

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // The same event also reports a signal or message that could not be delivered; those are not its end.
      if (child.pid === undefined) resolve(`it could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      const how = signal === null ? `code ${code}` : `signal ${signal}`;
      const timer = setTimeout(resolve, outputGraceMs, how);
      child.once('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
