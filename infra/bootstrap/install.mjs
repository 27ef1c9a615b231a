import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withInstallLock } from './install-lock.mjs';
import { installNeed, installStamp } from './install-need.mjs';

/** An install over a slow line takes minutes; one that takes longer than this hangs. */
const deadlineMs = 20 * 60_000;
/** How often an unfinished install says so where no terminal shows a running clock. */
const progressMs = 10_000;
/** What is kept of npm's output, to be shown if it fails. */
const outputLimitBytes = 64 * 1024;

/**
 * Makes node_modules what package-lock.json says, showing that it does; does nothing, in a few milliseconds, when it is so already.
 *
 * @param {string} root the project's folder.
 * @param {NodeJS.WriteStream} screen where progress goes.
 * @returns {Promise<void>}
 * @throws {InstallError} with a message for a person.
 */
export async function ensureInstalled(root, screen) {
  if (installNeed(readState(root)) === null) return;
  try {
    await withInstallLock(
      join(root, '.cache', 'install'),
      { onWait: () => screen.write('turnpike: another process is installing the dependencies here; waiting for it\n') },
      async () => {
        const state = readState(root);
        const need = installNeed(state);
        if (need === null) return;
        await install(root, need, screen);
        writeFileSync(stampFile(root), `${installStamp(state)}\n`);
      },
    );
  } catch (error) {
    throw error instanceof InstallError ? error : new InstallError(explainSystemError(error, root));
  }
}

/** An install that did not happen; the message says what to do. */
export class InstallError extends Error {}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.turnpike-install');
}

/** @param {string} root */
function readState(root) {
  return {
    lock: readFileSync(join(root, 'package-lock.json'), 'utf8'),
    manifest: readFileSync(join(root, 'package.json'), 'utf8'),
    stamp: readIfPresent(stampFile(root))?.trim() ?? null,
    installed: readIfPresent(join(root, 'node_modules', '.package-lock.json')),
    platform: process.platform,
    arch: process.arch,
  };
}

/** @param {string} file */
function readIfPresent(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/**
 * @param {string} root
 * @param {string} reason
 * @param {NodeJS.WriteStream} screen
 * @returns {Promise<void>}
 */
async function install(root, reason, screen) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  screen.write(`turnpike: installing the dependencies with npm ci (${reason})\n`);
  const progress = screen.isTTY
    ? setInterval(() => screen.write(`\r  ${seconds()} s`), 1_000)
    : setInterval(() => screen.write(`turnpike: still installing, ${seconds()} s\n`), progressMs);
  let result;
  try {
    result = await runNpm(root);
  } finally {
    clearInterval(progress);
    if (screen.isTTY) screen.write('\r          \r');
  }
  if (result.code !== 0) throw new InstallError(explainFailure(result.output, result.code));
  screen.write(`turnpike: dependencies installed in ${seconds()} s\n`);
}

/**
 * @param {string} root
 * @returns {Promise<{ code: number | string, output: string }>} the exit code or the signal's name, and npm's output.
 */
function runNpm(root) {
  // The npm that runs us is preferred to whichever comes first in PATH: it is the one the person chose.
  const own = process.env.npm_execpath;
  const [command, ...first] = own && basename(own).startsWith('npm') ? [process.execPath, own] : ['npm'];
  // Whatever NODE_ENV or an .npmrc says, the tests need the development dependencies and the start needs the optional ones.
  const args = [...first, 'ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return new Promise((resolve) => {
    /** @type {NodeJS.Signals | null} */
    let stoppedBy = null;
    // npm takes its time over a polite signal, and what it leaves half done is done again by the next install anyway.
    const stop = (/** @type {NodeJS.Signals} */ signal) => {
      stoppedBy = signal;
      child.kill('SIGKILL');
    };
    // Before npm runs: who is told to stop between the two would leave it behind.
    process.once('SIGTERM', stop).once('SIGINT', stop).once('SIGHUP', stop);
    const child = spawn(command ?? 'npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: deadlineMs });
    let output = '';
    const keep = (/** @type {Buffer} */ part) => {
      output = (output + part).slice(-outputLimitBytes);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const finish = (/** @type {number | string} */ code) => {
      process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', stop);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      output += error.message;
      finish('not started');
    });
    child.on('close', (code, signal) => finish(stoppedBy ?? code ?? signal ?? 'unknown'));
  });
}

/**
 * What went wrong in npm, in one sentence for a person, with npm's own words below.
 *
 * @param {string} output
 * @param {number | string} code
 * @returns {string}
 */
export function explainFailure(output, code) {
  const details = output.trim() === '' ? '' : `\n\nnpm said:\n${output.trim()}`;
  return `${cause(output, code)}${details}`;
}

/**
 * @param {string} output
 * @param {number | string} code
 */
function cause(output, code) {
  if (code === 'not started') return 'npm could not be started. Is it in your PATH?';
  if (code === 'SIGINT' || code === 'SIGTERM' || code === 'SIGHUP') return 'The install was stopped. The next start begins it again.';
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/.test(output)) {
    return 'npm cannot reach its registry. The first start needs the network once; check the connection or proxy and run the same command again.';
  }
  if (/\bENOSPC\b/.test(output)) return 'The disk is full. The dependencies take about 600 MB.';
  if (/\b(EACCES|EPERM)\b/.test(output)) {
    const path = /npm error path (.+)/.exec(output)?.[1] ?? 'a file it needs';
    return `npm may not write ${path}. If it belongs to another user (root, for instance), remove it as that user and run the same command again.`;
  }
  if (/\bEUSAGE\b/.test(output)) {
    return (
      'package.json and package-lock.json do not agree. After a change of dependencies run: ' +
      'npm install --package-lock-only && node infra/bootstrap/complete-lock.mjs'
    );
  }
  return `npm ci failed (${code}).`;
}

/**
 * @param {unknown} error
 * @param {string} root
 */
function explainSystemError(error, root) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `The dependencies must be installed, but ${root} is not writable for this user.\n\n${error}`;
  }
  return `The dependencies could not be installed.\n\n${error instanceof Error ? error.stack : error}`;
}
