import { readFile } from 'node:fs/promises';
import { awaitDatabase } from '../runtime/await-database.ts';
import type { ProcessContext, StartedProcess } from '../runtime/boot.ts';
import { armFailpoints } from '../runtime/failpoints/failpoints.ts';
import type { DatabaseConnection, DatabaseRole } from '../runtime/postgres.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { deriveSecrets, loadMasterKey } from '../runtime/secrets.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { createHttpSender } from './alerts/http-sender.ts';
import { createMailSender } from './alerts/mail-sender.ts';
import { createFailpointFeed } from './live/failpoint-feed.ts';
import { createJournalHub } from './live/journal-hub.ts';
import { createPostgresJournalFeed } from './live/postgres-journal-feed.ts';
import { startApiServer } from './server.ts';

/** A query of an operation ends after it (reference/graphql.md section 4); reports say otherwise for themselves. */
const statementTimeoutMs = 5_000;

/** Starts the API process: its database connections, the server, and how both end. */
export async function startApi(context: ProcessContext): Promise<StartedProcess> {
  const { environment, log, clock, random, stopping } = context;
  const url = environment.databaseUrl;
  if (url === null) throw new StartRefusal('DATABASE_URL is not set. `npm start` brings its own database; a process of its own needs one.');
  const connect = (role: DatabaseRole): DatabaseConnection =>
    createDatabase({
      url,
      role,
      applicationName: 'turnpike-api',
      statementTimeoutMs,
      onConnectionError: (error) => log.warn({ error }, 'a database connection broke'),
    });
  const reader = connect('reader');
  const writer = connect('writer');
  const http = createHttpSender();
  const close = () => Promise.all([reader.close(), writer.close(), http.close()]);
  try {
    const listen = { variable: 'TURNPIKE_API_PORT', host: environment.host, port: environment.apiPort };
    const passFailpoint = armFailpoints(environment.failpoints, log);
    const journal = createPostgresJournalFeed(reader);
    const feed = passFailpoint === null ? journal : createFailpointFeed(journal, passFailpoint);
    const hub = await awaitDatabase({ database: reader, process: 'api', listen, log, stopping }, () =>
      createJournalHub({ feed, clock, log }),
    );
    const secrets = deriveSecrets(
      await loadMasterKey({ given: environment.masterKey, home: environment.home, random, mustBeGiven: !environment.embeddedLog }),
    );
    const server = await startApiServer({
      reader,
      writer,
      hub,
      secrets,
      senders: { http, mail: environment.mail === null ? null : createMailSender(environment.mail) },
      clock,
      random,
      log,
      trustedProxies: environment.trustedProxies,
      host: environment.host,
      port: environment.apiPort,
      version: await ownVersion(),
    });
    return {
      addresses: { http: server.url },
      stop: async (hurry) => {
        await server.stop(hurry);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ownVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
}
