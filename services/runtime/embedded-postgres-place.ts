import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './embedded-postgres-binaries.ts';
import { binariesAt, copyBinaries, findBinaries, linkLibraries } from './embedded-postgres-binaries.ts';
import { StartRefusal } from './start-refusal.ts';

/** A user of the operating system under whom PostgreSQL runs. */
export type Account = { readonly uid: number; readonly gid: number };

/** Where an installation's PostgreSQL lives and who runs it. */
export type PostgresPlace = {
  readonly binaries: PostgresBinaries;
  readonly dataFolder: string;
  readonly configFolder: string;
  readonly socketFolder: string;
  /** Null: the user we run as. */
  readonly account: Account | null;
  /** Where binaries and data had to move because PostgreSQL's user cannot enter `home`; else null. */
  readonly movedTo: string | null;
};

const run = promisify(execFile);

/** Longest path of a Unix socket is 104 bytes with its end mark on macOS, 108 on Linux; `/.s.PGSQL.5432.lock` is 19 of them. */
const longestSocketFolderBytes = 84;

/**
 * Chooses the place. PostgreSQL refuses to run as root; root therefore lends it to an unprivileged user (the owner of the
 * data where there is some, else `postgres`, else `nobody`). Where that user cannot enter `home`, binaries and data live
 * under `/var/lib/turnpike/<hash of home>`. Data that exists stays where it is: a start must never come up empty beside it.
 * `home` must exist.
 * @throws StartRefusal where the data lies in a `home` that its user cannot enter any more.
 */
export async function findPlace(homePath: string): Promise<PostgresPlace> {
  const home = await realpath(homePath);
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 16);
  const elsewhere = join('/var/lib/turnpike', hash);
  if (process.getuid?.() !== 0) return placeAt({ home, base: home, hash, account: null });

  const atHome = await ownerOf(join(home, dataName));
  const apart = atHome === null ? await ownerOf(join(elsewhere, dataName)) : null;
  const account = atHome ?? apart ?? (await unprivilegedAccount());
  const enters = await mayEnter(account, home);
  if (atHome !== null && !enters) {
    throw new StartRefusal(
      `${home} holds the database, but PostgreSQL's user (${account.uid}) cannot enter it any more. Let others pass through it: chmod o+x`,
    );
  }
  return placeAt({ home, base: enters && apart === null ? home : elsewhere, hash, account });
}

const dataName = 'postgres';

async function placeAt(choice: {
  readonly home: string;
  readonly base: string;
  readonly hash: string;
  readonly account: Account | null;
}): Promise<PostgresPlace> {
  const { home, base, account } = choice;
  const moved = base !== home;
  if (moved) {
    await mkdir(base, { recursive: true, mode: 0o755 });
    // For a person who finds the folder and wonders whose it is.
    await writeFile(join(base, 'home'), `${home}\n`);
  }
  return {
    binaries: await placeBinaries(account, base),
    dataFolder: join(base, dataName),
    configFolder: join(base, 'postgres-config'),
    socketFolder: await placeSocket(account, base, choice.hash),
    account,
    movedTo: moved ? base : null,
  };
}

/** Who the data in a folder belongs to; null where there is none, or where it is root's and so was never PostgreSQL's. */
async function ownerOf(dataFolder: string): Promise<Account | null> {
  const owner = await stat(dataFolder).catch(() => null);
  return owner === null || owner.uid === 0 ? null : { uid: owner.uid, gid: owner.gid };
}

async function placeBinaries(account: Account | null, base: string): Promise<PostgresBinaries> {
  const { root, version } = await findBinaries();
  const reachable = account === null || (await mayEnter(account, join(root, 'native', 'lib')));
  if (reachable && (await linkLibraries(root))) return binariesAt(root, version);
  const copy = join(base, `postgresql-${version}`);
  await copyBinaries(root, copy);
  return binariesAt(copy, version);
}

/** A folder only PostgreSQL's user (and root) can enter: that, and asking the kernel who connects, is the authentication. */
async function placeSocket(account: Account | null, base: string, hash: string): Promise<string> {
  const near = join(base, 'socket');
  const folder = Buffer.byteLength(near) <= longestSocketFolderBytes ? near : `/tmp/turnpike-${hash}`;
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const owner = account?.uid ?? process.getuid?.();
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.getuid?.() && account !== null) {
    await chown(folder, account.uid, account.gid);
  } else if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o077) !== 0) {
    throw new StartRefusal(
      `${folder} is needed for PostgreSQL's socket, but somebody else made it. Remove it, or set TURNPIKE_HOME to another folder.`,
    );
  }
  return folder;
}

async function unprivilegedAccount(): Promise<Account> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const user = users.find((fields) => fields[0] === name);
    // `-2` is how macOS writes nobody's number.
    const [uid, gid] = [Number(user?.[2]) >>> 0, Number(user?.[3]) >>> 0];
    if (user !== undefined && uid > 0) return { uid, gid };
  }
  throw new StartRefusal(
    'PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody. Start as an ordinary user.',
  );
}

/** Asks the system itself, by trying: modes alone do not show access lists, user namespaces and mount options. */
async function mayEnter(account: Account, folder: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/', timeout: 5_000 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') {
      throw new StartRefusal('PostgreSQL does not run as root, and this root may not become another user. Start as an ordinary user.', {
        cause: error,
      });
    }
    return false;
  }
}
