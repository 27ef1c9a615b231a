import { createHash } from 'node:crypto';

/**
 * What decides whether node_modules is what package-lock.json says.
 *
 * @typedef {object} InstallState
 * @property {string} lock text of package-lock.json.
 * @property {string} manifest text of package.json.
 * @property {string | null} stamp text of the stamp our last complete install left in node_modules.
 * @property {string | null} installed text of node_modules/.package-lock.json, which npm writes when an install of its own is complete.
 * @property {string} platform as `process.platform`.
 * @property {string} arch as `process.arch`.
 */

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/**
 * The name of one state of node_modules: equal stamps mean that an install would change nothing.
 *
 * The version of Node is left out on purpose: the first start runs under the machine's Node and the second under ours, and nothing
 * installed depends on it, since no install script compiles anything.
 *
 * @param {Pick<InstallState, 'lock' | 'manifest' | 'platform' | 'arch'>} state
 * @returns {string}
 */
export function installStamp({ lock, manifest, platform, arch }) {
  const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(manifest);
  const wanted = JSON.stringify([lock, dependencies, devDependencies, optionalDependencies, overrides, platform, arch]);
  return createHash('sha256').update(wanted).digest('hex');
}

/**
 * Why an install is needed, in words for a person, or null when node_modules is complete and current.
 *
 * An install that npm completed by itself (`npm i some-package`) is accepted like one of ours, so that a developer who adds a dependency
 * does not pay for a second install, nor lose node_modules under a running process.
 *
 * @param {InstallState} state
 * @returns {string | null}
 */
export function installNeed(state) {
  if (state.stamp === null && state.installed === null) return 'first start in this folder';
  if (state.stamp === installStamp(state)) return null;
  if (state.installed !== null && isInstalled(state.lock, state.installed, state.platform, state.arch)) return null;
  return 'package-lock.json has changed, or an install was not finished';
}

/**
 * @param {string} lock
 * @param {string} installed
 * @param {string} platform
 * @param {string} arch
 */
function isInstalled(lock, installed, platform, arch) {
  const wanted = packagesOf(lock);
  const present = packagesOf(installed);
  if (!wanted || !present) return false;
  for (const [path, entry] of Object.entries(present)) {
    if (wanted[path]?.version !== entry.version) return false;
  }
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || present[path] || (entry.optional && !isForThisPlatform(entry, platform, arch)),
  );
}

/**
 * Whether an optional package says that it is made for this platform. One that says nothing may be needed only by a package of another
 * platform, and npm leaves it out then.
 *
 * @param {LockedPackage} entry
 * @param {string} platform
 * @param {string} arch
 */
function isForThisPlatform(entry, platform, arch) {
  if (!entry.os && !entry.cpu) return false;
  if (entry.os && !entry.os.includes(platform)) return false;
  if (entry.cpu && !entry.cpu.includes(arch)) return false;
  // musl variants do not fit the systems our Node binary runs on.
  return !entry.libc || entry.libc.includes('glibc');
}

/**
 * @param {string} text
 * @returns {Record<string, LockedPackage> | null} null when it is no lock file, for instance one cut off by a power loss.
 */
function packagesOf(text) {
  try {
    return JSON.parse(text).packages ?? null;
  } catch {
    return null;
  }
}
