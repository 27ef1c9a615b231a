// The way in: `node infra/bootstrap/run.mjs <verb> [arguments]`, called by every script in package.json.
// Must run under Node 20 and with no node_modules, since it is what installs them. It makes sure the dependencies are there, finds Node 24,
// and hands over. The scripts `exec` it, for npm would otherwise leave it orphaned when it is told to stop.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseNode } from './choose-node.mjs';
import { handOver } from './hand-over.mjs';
import { ensureInstalled, InstallError } from './install.mjs';
import { verbs } from './verbs.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {readonly string[]} args */
async function main([verb = '', ...rest]) {
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!command) return fail(`There is no verb "${verb}". These are: ${Object.keys(verbs).join(', ')}.`);
  await ensureInstalled(root, process.stderr);
  const bundledPath = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const node = chooseNode({
    bundledVersion: versionOf(bundledPath),
    bundledPath,
    ownVersion: process.version,
    ownPath: process.execPath,
    platform: process.platform,
    arch: process.arch,
  });
  if ('problem' in node) return fail(node.problem);
  // What the product starts by the name of `node` is this Node too.
  const path = [dirname(node.path), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  return handOver(node.path, [...command, ...rest], { cwd: root, env: { ...process.env, PATH: path } });
}

/**
 * @param {string} file
 * @returns {string | null}
 */
function versionOf(file) {
  if (!existsSync(file)) return null;
  // From the second start on npm runs us with this very binary, and asking it again would only cost time.
  if (realpathSync(file) === realpathSync(process.execPath)) return process.version;
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim() : null;
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`turnpike: ${message}\n`);
  return 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  process.exitCode = fail(error.message);
}
