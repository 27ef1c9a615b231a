import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { PostgresPlace } from './embedded-postgres-place.ts';

/** Small enough for a laptop, with every promise of durability kept (`fsync`, `synchronous_commit` are on by default). */
const baseSettings = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '80',
  shared_buffers: '128MB',
  max_wal_size: '512MB',
  // Many partitions are touched by one statement.
  max_locks_per_transaction: '256',
  jit: 'off',
  // The data fits in memory: workers for reading would only be three more processes.
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %a ',
  log_checkpoints: 'off',
} as const;

/** How a server is launched, and a text that is the same exactly when it is launched the same way. */
export type Launch = { readonly arguments: readonly string[]; readonly fingerprint: string };

/**
 * Who may connect is written anew at each start, outside the data folder: root must not write where an unprivileged user
 * could have laid a link. The kernel says who connects (`peer`); root, PostgreSQL's user and ours may be anyone.
 */
export async function prepareLaunch(place: PostgresPlace, settings: Readonly<Record<string, string>>): Promise<Launch> {
  await mkdir(place.configFolder, { recursive: true, mode: 0o755 });
  const accessPath = join(place.configFolder, 'pg_hba.conf');
  const usersPath = join(place.configFolder, 'pg_ident.conf');
  await writeFile(accessPath, 'local all all peer map=turnpike\n', { mode: 0o644 });
  const users = new Set(['root', userInfo().username]);
  await writeFile(usersPath, [...users].map((user) => `turnpike "${user}" all\n`).join(''), { mode: 0o644 });
  const all: Record<string, string> = {
    ...baseSettings,
    ...settings,
    unix_socket_directories: `"${place.socketFolder.replaceAll('"', '""')}"`,
    hba_file: accessPath,
    ident_file: usersPath,
  };
  const list = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const parts = ['-D', place.dataFolder, ...list];
  return { arguments: parts, fingerprint: JSON.stringify([place.binaries.postgres, place.binaries.version, ...parts, ...users]) };
}

/** Where it is written down how the running server was launched. */
export function launchRecord(place: PostgresPlace): string {
  return join(place.configFolder, 'launch.json');
}
