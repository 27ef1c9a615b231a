import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresPlace } from './embedded-postgres-place.ts';
import { exitOf, spawnProgram } from './embedded-postgres-program.ts';
import { StartRefusal } from './start-refusal.ts';

/** The server's superuser: for migrations and administration. */
export const embeddedAdministrator = 'postgres';

/**
 * Whether the data folder holds a database.
 * @throws StartRefusal where another version of PostgreSQL wrote it.
 */
export async function hasData(place: PostgresPlace): Promise<boolean> {
  let version: string;
  try {
    version = (await readFile(join(place.dataFolder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  if (version !== place.binaries.majorVersion) {
    throw new StartRefusal(
      `${place.dataFolder} was written by PostgreSQL ${version}; this version of turnpike runs PostgreSQL ${place.binaries.majorVersion}. ` +
        'Run the version that wrote it, or set TURNPIKE_HOME to another folder.',
    );
  }
  return true;
}

/** Makes the data beside its place and moves it there, so that an interrupted first start leaves nothing half made. */
export async function initializeData(place: PostgresPlace): Promise<void> {
  const draft = `${place.dataFolder}.initializing`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (place.account !== null) await chown(draft, place.account.uid, place.account.gid);
  const child = spawnProgram(place, place.binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${embeddedAdministrator}`,
    '--auth-local=peer',
    '--auth-host=reject',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  ]);
  let output = '';
  const keep = (part: Buffer): void => {
    output = (output + part.toString()).slice(-4_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const how = await exitOf(child);
  if (how !== 'code 0') throw new Error(`initdb ended with ${how}:\n${output}`);
  await rename(draft, place.dataFolder);
  const parent = await open(dirname(place.dataFolder));
  await parent.sync().finally(() => parent.close());
}
