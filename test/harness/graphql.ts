import type { ExecutionResult } from 'graphql';
import type { KyselyPlugin } from 'kysely';
import { createHttpSender } from '../../services/api/alerts/http-sender.ts';
import type { MailSender } from '../../services/api/alerts/mail-sender.ts';
import { createJournalHub } from '../../services/api/live/journal-hub.ts';
import { createPostgresJournalFeed } from '../../services/api/live/postgres-journal-feed.ts';
import type { ApiServer } from '../../services/api/server.ts';
import { startApiServer } from '../../services/api/server.ts';
import { createApiKey } from '../../services/registry/api-keys.ts';
import { systemClock } from '../../services/runtime/clock.ts';
import { createLog } from '../../services/runtime/log.ts';
import { systemRandom } from '../../services/runtime/random.ts';
import type { TestDatabase } from './postgres.ts';
import { createTestDatabase } from './postgres.ts';
import { changeOf, makeOrganization, testSecrets } from './registry.ts';

/** What a GraphQL answer is to a test that looks into it. */
export type Answer<Data = Record<string, unknown>> = ExecutionResult<Data> & { readonly status: number; readonly headers: Headers };

/** An organization with its admin key. */
export interface TestTenant {
  /** uuid. */
  readonly organizationId: string;
  /** uuid. */
  readonly adminKeyId: string;
  readonly adminKey: string;
}

/** The API over a database of its own. */
export type TestApi = AsyncDisposable & {
  readonly server: ApiServer;
  readonly database: TestDatabase;
  readonly graphqlUrl: string;
  /** A new organization with an admin key of these permissions, `*` where none are given. */
  readonly makeTenant: (slug: string, permissions?: readonly string[]) => Promise<TestTenant>;
  readonly makeKey: (
    organizationId: string,
    permissions: readonly string[],
    kind?: 'ak' | 'adm',
  ) => Promise<{ id: string; secret: string }>;
  /** How many tenant transactions were begun by reads so far. */
  readonly reads: () => number;
  /** Sends an operation by POST. */
  readonly ask: <Data = Record<string, never>>(
    key: string | null,
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ) => Promise<Answer<Data>>;
};

/** Starts the API in this process, on a free port. */
export async function startTestApi(
  options: { readonly trustedProxies?: readonly string[]; readonly mail?: MailSender } = {},
): Promise<TestApi> {
  const database = await createTestDatabase();
  let reads = 0;
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => {
      // Each transaction of a reader begins by naming its tenant.
      if (node.kind === 'RawNode' && node.sqlFragments.some((text) => text.includes("set_config('turnpike.organization_id'"))) reads += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const reader = { ...database.reader, db: database.reader.db.withPlugin(counter) };
  const log = createLog({ name: 'api', level: 'silent' });
  const http = createHttpSender();
  const server = await startApiServer({
    reader,
    writer: database.writer,
    hub: await createJournalHub({ feed: createPostgresJournalFeed(reader), clock: systemClock, log }),
    secrets: testSecrets,
    senders: { http, mail: options.mail ?? null },
    clock: systemClock,
    random: systemRandom,
    log,
    trustedProxies: options.trustedProxies ?? [],
    host: '127.0.0.1',
    port: 0,
    version: '0.0.0-test',
  });
  const graphqlUrl = `${server.url}/graphql`;
  const makeKey: TestApi['makeKey'] = async (organizationId, permissions, kind = 'adm') => {
    const { key, secret } = await changeOf(database.writer.db, organizationId, (change) =>
      createApiKey(
        change,
        {
          name: 'test',
          kind,
          environment: 'test',
          teamId: null,
          allowedModels: null,
          tags: {},
          metadata: {},
          permissions,
          expiresAt: null,
        },
        testSecrets,
      ),
    );
    return { id: key.id, secret };
  };
  return {
    server,
    database,
    graphqlUrl,
    makeKey,
    reads: () => reads,
    makeTenant: async (slug, permissions = ['*']) => {
      const organizationId = await makeOrganization(database.writer.db, slug);
      const { id, secret } = await makeKey(organizationId, permissions);
      return { organizationId, adminKeyId: id, adminKey: secret };
    },
    ask: async (key, query, variables, headers) => {
      const response = await fetch(graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
        body: JSON.stringify({ query, ...(variables === undefined ? {} : { variables }) }),
      });
      return { ...(await response.json()), status: response.status, headers: response.headers };
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop(AbortSignal.timeout(2_000));
      await http.close();
      await database.drop();
    },
  };
}
