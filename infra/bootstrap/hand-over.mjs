import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * One press of Ctrl-C reaches us twice: from the terminal, which signals the whole foreground group, and from npm, which passes on what it
 * gets. Two of the same within this time are therefore one; a person's second press comes later and means it.
 */
const sameSignalMs = 300;

/**
 * Runs a command in our place: same output, same end, and each signal sent to us or to npm reaches it exactly once.
 *
 * The command gets a process group of its own, so that the terminal's Ctrl-C does not reach it past us, and an IPC channel: when we die without
 * a chance to tell (SIGKILL), it closes and its `disconnect` event says so. A process that refuses to start says why on it
 * (services/runtime/process-messages.ts), which is printed here.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, now?: () => number }} options
 * @returns {Promise<number>} the command's exit code; 128 + n when signal n ended it, as a shell reports it.
 */
export function handOver(command, args, { cwd, env, now = Date.now }) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (message) => {
    if (typeof message !== 'object' || message === null || !('kind' in message) || message.kind !== 'refused') return;
    if ('reason' in message) process.stderr.write(`${message.reason}\n`);
  });
  const isNew = createSignalGate(now);
  const handlers = forwarded.map((signal) => {
    const forward = () => {
      if (isNew(signal)) child.kill(signal);
    };
    process.on(signal, forward);
    return () => process.off(signal, forward);
  });
  return new Promise((resolve, reject) => {
    const finish = () => {
      for (const remove of handlers) remove();
    };
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      finish();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * Tells a signal from its echo.
 *
 * @param {() => number} now milliseconds.
 * @returns {(signal: string) => boolean} whether this arrival is to be passed on.
 */
export function createSignalGate(now) {
  /** @type {Map<string, number>} */
  const lastAt = new Map();
  return (signal) => {
    const at = now();
    const before = lastAt.get(signal);
    lastAt.set(signal, at);
    return before === undefined || at - before >= sameSignalMs;
  };
}
