import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedPostgres } from '../../services/runtime/embedded-postgres.ts';
import { startEmbeddedPostgres } from '../../services/runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../services/runtime/embedded-postgres-data.ts';
import { memoryFolder, memoryHasRoom } from './memory-folder.ts';

/**
 * A process of its own that holds the PostgreSQL of one test run and outlives it by a moment: when the run ends, by itself or
 * by SIGKILL, the IPC channel closes, and the server is stopped and its data removed. Started by postgres-server.ts.
 */
const homes: string[] = [];
/** What all databases of a run take at once, with their log, many times over. */
const roomBytes = 4 * 1024 ** 3;

async function startIn(parent: string): Promise<EmbeddedPostgres> {
  const home = await mkdtemp(join(parent, 'turnpike-test-'));
  homes.push(home);
  // As root the server runs under another user, who has to get in.
  await chmod(home, 0o711);
  return startEmbeddedPostgres({
    home,
    // What tests write may be lost: they ask for a server of their own where durability is the question.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200', shared_buffers: '256MB' },
  });
}

async function start(): Promise<EmbeddedPostgres> {
  // Each test makes a database of over a thousand files and removes it again.
  if (!(await memoryHasRoom(roomBytes))) return startIn(tmpdir());
  // It may not be allowed to run programs there.
  return startIn(memoryFolder).catch(() => startIn(tmpdir()));
}

let ending = false;
const end = async (exitCode: number): Promise<void> => {
  if (ending) return;
  ending = true;
  const server = await starting.catch(() => null);
  await server?.stop();
  for (const home of homes) await rm(home, { recursive: true, force: true });
  process.exit(exitCode);
};
process.on('disconnect', () => void end(0));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));

const starting = start();
try {
  const server = await starting;
  process.send?.(server.url(embeddedAdministrator, 'postgres'));
  if (!process.connected) await end(0);
} catch (error) {
  console.error(error);
  await end(1);
}
