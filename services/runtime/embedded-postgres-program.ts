import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { PostgresPlace } from './embedded-postgres-place.ts';

/** Runs one of PostgreSQL's programs as its user. Its environment is ours to choose: variables such as PGDATA or LC_ALL of whoever calls must not reach it. */
export function spawnProgram(place: PostgresPlace, program: string, argumentList: readonly string[], output?: number): ChildProcess {
  return spawn(program, argumentList, {
    ...place.account,
    cwd: dirname(place.dataFolder),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output ?? 'pipe', output ?? 'pipe'],
    detached: true,
  });
}

/** How a program ended: `code 0`, `signal SIGKILL`. Rejects where it could not be started. */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
}
