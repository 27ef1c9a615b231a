// Adds to package-lock.json the optional platform packages that the registry used for locking did not offer.
//
// Tools such as Biome ship one optional package per platform. `npm ci` refuses a lock file that leaves one of them out, on every platform,
// and npm leaves out what a mirror answers 404 for. The entry added here names version, os and cpu, so that npm skips it elsewhere and
// fetches it where it fits; it has no integrity hash, because we never saw the bytes. Run it after a change of dependencies:
//   node infra/bootstrap/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} Locked */

const operatingSystems = new Set(['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32']);
const processors = new Set(['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']);

/**
 * The entries that a lock file's packages name as optional dependencies and do not hold.
 *
 * @param {Record<string, Locked>} packages the lock file's `packages`, by path.
 * @returns {Record<string, Locked>} what to add, by path.
 * @throws {Error} when a missing package's platform cannot be read from its name, or it is not wanted at one exact version.
 */
export function missingOptionalPackages(packages) {
  /** @type {Record<string, Locked>} */
  const missing = {};
  for (const [path, locked] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      if (isLocked(packages, path, name)) continue;
      const words = name.slice(name.lastIndexOf('/') + 1).split('-');
      const os = words.find((word) => operatingSystems.has(word));
      const cpu = words.find((word) => processors.has(word));
      if (!os || !cpu || !/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}@${version}, wanted by ${path}, is not in the lock file`);
      const libc = os === 'linux' ? { libc: [words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc'] } : {};
      missing[`node_modules/${name}`] = { version, cpu: [cpu], ...(locked.dev ? { dev: true } : {}), ...libc, optional: true, os: [os] };
    }
  }
  return missing;
}

/**
 * Whether npm's look-up of `name` from the package at `path` finds something: its own node_modules first, then each one above.
 *
 * @param {Record<string, Locked>} packages
 * @param {string} path
 * @param {string} name
 */
function isLocked(packages, path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(base.lastIndexOf('/node_modules/'), 0))) {
    if (packages[`${base === '' ? '' : `${base}/`}node_modules/${name}`]) return true;
    if (base === '') return false;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = new URL('../../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptionalPackages(lock.packages);
  const packages = Object.entries({ ...lock.packages, ...missing });
  packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} optional platform packages added to package-lock.json`);
}
