import { setTimeout as wait } from 'node:timers/promises';
import fastify from 'fastify';
import { addHealthRoutes } from './health.ts';
import type { ListenTarget } from './listen-refusal.ts';
import { listenRefusal } from './listen-refusal.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { refusePendingMigrations } from './migrate.ts';
import type { DatabaseConnection } from './postgres.ts';
import { isTransient, sqlStateOf } from './postgres.ts';
import { StartRefusal } from './start-refusal.ts';

export interface AwaitDatabaseOptions {
  readonly database: Pick<DatabaseConnection, 'db'>;
  /** Name of the process, as in its metrics. */
  readonly process: string;
  /** Where the process is going to listen: meanwhile its health is told there. */
  readonly listen: ListenTarget;
  readonly log: Log;
  /** Aborted when the start is not wanted any more. */
  readonly stopping: AbortSignal;
}

const tryAgainMs = 1_000;

/**
 * Returns once PostgreSQL answers and is migrated, and `begin` got from it what the process cannot start without: a server that
 * answered may be gone at the next statement. A server that is away is waited for without an end, as brokers are: machines come
 * up in any order, and whoever runs the process sees by `/readyz` (503, with the reason) and by one line of its log what it waits
 * for. What waiting does not mend is refused.
 * @throws StartRefusal where migrations are pending, or the server refuses the login or the database of DATABASE_URL.
 */
export async function awaitDatabase<Begun>(options: AwaitDatabaseOptions, begin: () => Promise<Begun>): Promise<Begun> {
  const { log, stopping } = options;
  let attempt = await tryOnce(options, begin);
  if (attempt.reason === null) return attempt.begun;
  let { reason } = attempt;
  const health = await serveHealth(options, () => reason);
  try {
    for (let told = ''; attempt.reason !== null; attempt = await tryOnce(options, begin)) {
      reason = attempt.reason;
      if (reason !== told) log.warn({ reason }, 'waiting for PostgreSQL');
      told = reason;
      await wait(tryAgainMs, undefined, { signal: stopping });
    }
  } finally {
    await health.close();
  }
  log.warn('PostgreSQL answers');
  return attempt.begun;
}

/** `reason`: why the database cannot be reached. */
type Attempt<Begun> = { readonly reason: string } | { readonly reason: null; readonly begun: Begun };

async function tryOnce<Begun>({ database }: AwaitDatabaseOptions, begin: () => Promise<Begun>): Promise<Attempt<Begun>> {
  try {
    await refusePendingMigrations(database.db);
    return { reason: null, begun: await begin() };
  } catch (error) {
    const gist = gistOf(error);
    if (refusedForGood.has(sqlStateOf(error) ?? '')) {
      throw new StartRefusal(`PostgreSQL refuses what DATABASE_URL says: ${gist}. Check its user, password and database.`, {
        cause: error,
      });
    }
    if (isTransient(error) || codeOf(error) === 'ENOTFOUND') return { reason: `PostgreSQL does not answer: ${gist}` };
    throw error;
  }
}

/** Not authorized, wrong password, no such database. */
const refusedForGood: ReadonlySet<string> = new Set(['28000', '28P01', '3D000']);

/** Of a host with several addresses the error itself says nothing. */
function gistOf(error: unknown): string {
  return (error instanceof Error ? error.message : '') || codeOf(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function serveHealth({ process, listen }: AwaitDatabaseOptions, reason: () => string | null): Promise<{ close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true });
  addHealthRoutes(app, { registry: createMetrics({ process }), checks: () => [{ name: 'database', reason: reason() }] });
  try {
    await app.listen({ host: listen.host, port: listen.port });
  } catch (error) {
    throw listenRefusal(error, listen);
  }
  return { close: () => app.close() };
}
