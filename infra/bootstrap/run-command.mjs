import { spawn } from 'node:child_process';

/** What a command printed is kept up to this size unless told otherwise, its end rather than its beginning. */
const defaultOutputLimitBytes = 256 * 1024;

/**
 * @typedef {object} CommandResult
 * @property {number | string} exit the exit code, the name of the signal that ended it, or `timeout`.
 * @property {string} output what it printed, both streams as they came; empty when `show` is set.
 * @property {number} durationMs
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Runs a command to its end, within a deadline.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, deadlineMs: number, show?: boolean, outputLimitBytes?: number, env?: NodeJS.ProcessEnv }} options `show` lets it print for itself.
 * @returns {Promise<CommandResult>}
 */
export function runCommand(
  command,
  args,
  { cwd, deadlineMs, show = false, outputLimitBytes = defaultOutputLimitBytes, env = process.env },
) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'] });
    running.add(child);
    let output = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    }, deadlineMs);
    const keep = (/** @type {Buffer} */ part) => {
      output = (output + part).slice(-outputLimitBytes);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const finish = (/** @type {number | string} */ exit) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ exit: timedOut ? 'timeout' : exit, output, durationMs: performance.now() - startedAt });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish('not started');
    });
    child.on('close', (code, signal) => finish(code ?? signal ?? 'unknown'));
  });
}

/**
 * Ends what is running when we are told to end or our parent is gone, so that no test run outlives the person who started it.
 *
 * @param {(signal: NodeJS.Signals) => void} onStop called after the signal was passed on.
 */
export function stopCommandsOnSignal(onStop) {
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    for (const child of running) child.kill(signal);
    onStop(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  process.on('disconnect', () => stop('SIGTERM'));
  // The channel to the bootstrap tells of its death; it must not keep us alive.
  process.channel?.unref();
}
