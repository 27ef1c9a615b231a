import type { FaultProxy } from './fault-proxy.ts';
import { startFaultProxy } from './fault-proxy.ts';

/** A way to a database over TCP that can be cut, held up and closed. */
export type DatabaseLink = {
  /** For `createDatabase` and `DATABASE_URL`: the same database and login, at the far end of the link. */
  readonly url: string;
  readonly faults: FaultProxy;
};

/** @param databaseUrl of a server at a port or at a Unix socket. */
export async function startDatabaseLink(databaseUrl: string): Promise<DatabaseLink> {
  const url = new URL(databaseUrl);
  const folder = url.searchParams.get('host');
  const port = Number(url.port === '' ? 5432 : url.port);
  const faults = await startFaultProxy(folder === null ? port : `${folder}/.s.PGSQL.${port}`);
  url.searchParams.delete('host');
  url.host = `127.0.0.1:${faults.port}`;
  return { url: url.href, faults };
}
