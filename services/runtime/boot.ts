import { flushCompileCache } from 'node:module';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { Environment, LogLevel } from './environment.ts';
import { readEnvironment } from './environment.ts';
import type { Log } from './log.ts';
import { createLog } from './log.ts';
import { tellSupervisor } from './process-messages.ts';
import type { Random } from './random.ts';
import { systemRandom } from './random.ts';
import { PlainFailure, refusalExitCode, StartRefusal } from './start-refusal.ts';

/** What a process is given to start with: the outside world, so that nothing below `main.ts` reaches for it. */
export type ProcessContext = {
  readonly environment: Environment;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when the process is asked to stop while it still starts. */
  readonly stopping: AbortSignal;
  /** Stops in order and exits with 1: for a fault after the start that only a new process can mend, such as a lost epoch. */
  readonly fail: (error: unknown) => void;
};

/** What a started process hands back. */
export type StartedProcess = {
  /** Where it listens, by name: `{ http: 'http://127.0.0.1:4000' }`. Announced to the supervisor. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Stops in order: finish or settle what is in flight, flush, close. `hurry` is aborted by a second signal. */
  readonly stop: (hurry: AbortSignal) => Promise<void>;
};

export type ProcessOptions = {
  readonly name: string;
  readonly start: (context: ProcessContext) => Promise<StartedProcess>;
  /** How long an ordered stop may take before the process ends anyhow, non-zero. 20 s. */
  readonly stopDeadlineMs?: number;
  /** How long a stop may still take after a second signal. 0: it ends at once. */
  readonly hurryGraceMs?: number;
  /**
   * The process a person started, not one under the supervisor: it prints why it refuses to start even where its own parent
   * holds an IPC channel, and stops in order after an unhandled error too (exit 1), so as to leave no process behind.
   */
  readonly foreground?: boolean;
  /** Used where TURNPIKE_LOG_LEVEL is not set. */
  readonly defaultLogLevel?: LogLevel;
};

/** One Ctrl-C can arrive twice, from the terminal and forwarded by npm; only a later signal is a second wish. */
const samePressMs = 1_000;
const exitByCrash = 1;
const exitByImpatience = 130;

/**
 * Runs a process from start to end; the only thing a `main.ts` calls.
 *
 * Starts, announces readiness to the supervisor, and on SIGTERM, SIGINT, SIGHUP or the supervisor's end stops in order and
 * exits with 0. A stop that is under way is never started again: a second signal makes it hurry, the deadline ends it, both
 * non-zero. A `StartRefusal` is printed without a stack and exits with `refusalExitCode`; any unhandled error exits with 1.
 */
export function runProcess(options: ProcessOptions): void {
  const { stopDeadlineMs = 20_000, hurryGraceMs = 0 } = options;
  const stopping = new AbortController();
  const hurry = new AbortController();
  let log: Log | null = null;
  let started: Promise<StartedProcess> | null = null;
  let stoppingSince = 0;

  const report = (error: unknown, message: string): void => {
    if (log !== null && options.foreground !== true) log.fatal({ error }, message);
    else if (error instanceof PlainFailure) console.error(`${options.name}: ${error.message}`);
    else console.error(`${options.name}: ${message}:`, error);
  };

  const stop = (why: string, exitCode: number): void => {
    if (stopping.signal.aborted) {
      if (systemClock.monotonic() - stoppingSince < samePressMs || hurry.signal.aborted) return;
      hurry.abort();
      setTimeout(() => process.exit(exitByImpatience), hurryGraceMs);
      return;
    }
    stoppingSince = systemClock.monotonic();
    stopping.abort();
    log?.info({ why }, 'stopping');
    setTimeout(() => {
      report(new Error(`not stopped within ${stopDeadlineMs} ms of: ${why}`), 'the stop took too long');
      process.exit(exitByCrash);
    }, stopDeadlineMs);
    void stopInOrder(exitCode);
  };

  const stopInOrder = async (exitCode: number): Promise<void> => {
    // A start that fails because it was asked to stop has nothing left to stop.
    const running = await started?.catch(() => null);
    try {
      await running?.stop(hurry.signal);
    } catch (error) {
      report(error, 'the stop failed');
      process.exit(exitByCrash);
    }
    process.exit(hurry.signal.aborted ? exitByImpatience : exitCode);
  };

  const crash = (error: unknown): void => {
    report(error, 'ended by an unhandled error');
    if (options.foreground === true && !stopping.signal.aborted) stop('an unhandled error', exitByCrash);
    else process.exit(exitByCrash);
  };

  // Whoever reads our output may go away first (a killed supervisor, `| head`); what is open has to be closed all the same.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal, 0));
  process.on('disconnect', () => stop('the supervisor ended', 0));

  const begin = async (): Promise<void> => {
    const environment = readEnvironment();
    const ownLog = createLog({ name: options.name, level: environment.logLevel ?? options.defaultLogLevel ?? 'info' });
    log = ownLog;
    started = options.start({
      environment,
      log: ownLog,
      clock: systemClock,
      random: systemRandom,
      stopping: stopping.signal,
      fail: (error) => {
        report(error, 'a fault that only a new process can mend');
        stop('a fault', error instanceof StartRefusal ? refusalExitCode : exitByCrash);
      },
    });
    const { addresses } = await started;
    if (stopping.signal.aborted) return;
    // Node keeps it at an orderly end only: who is killed would compile it all again in his next life. Nothing where no folder is given.
    flushCompileCache();
    if (options.foreground !== true) await tellSupervisor({ kind: 'ready', addresses });
    ownLog.info({ addresses }, 'ready');
  };

  begin().catch(async (error: unknown) => {
    // Asked to stop while starting: `stopInOrder` ends the process, and the failure is only the echo of that.
    if (stopping.signal.aborted) return;
    if (!(error instanceof StartRefusal)) return crash(error);
    // The supervisor says it for its child; said twice it would be noise.
    if (options.foreground === true || process.send === undefined) console.error(error.message);
    else await tellSupervisor({ kind: 'refused', reason: error.message });
    process.exit(refusalExitCode);
  });
}
