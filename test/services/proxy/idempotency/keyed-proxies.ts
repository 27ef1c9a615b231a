import { idFromUuid } from '../../../../schema/values/ids.ts';
import { createLeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import type { KeyedRequests } from '../../../../services/proxy/idempotency/keyed-requests.ts';
import { createKeyedRequests } from '../../../../services/proxy/idempotency/keyed-requests.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import type { TestProxy, TestProxyOptions } from '../../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../../harness/proxy.ts';
import { makeOrganization } from '../../../harness/registry.ts';
import type { ScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../harness/scripted-upstream.ts';

/** Proxies of one organization with two API keys, over one real database. */
export type KeyedProxies = {
  readonly database: TestDatabase;
  readonly upstream: ScriptedUpstream;
  /** uuid. */
  readonly organization: string;
  readonly secret: string;
  readonly otherSecret: string;
  readonly start: (options?: Partial<TestProxyOptions>) => Promise<TestProxy>;
  readonly chat: (proxy: TestProxy, idempotencyKey: string | null, body?: Record<string, unknown>, init?: RequestInit) => Promise<Response>;
  /** Cuts all proxies off from the keys, and back. */
  away: boolean;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export async function keyedProxies(): Promise<KeyedProxies> {
  const database = await createTestDatabase();
  const upstream = await startScriptedUpstream();
  const organization = await makeOrganization(database.writer.db, 'acme');
  const one = testKey({ organizationId: idFromUuid('organization', organization) });
  const other = testKey({ organizationId: idFromUuid('organization', organization) });
  const proxies: TestProxy[] = [];
  let away = false;
  const reach = <Result>(call: () => Promise<Result>): Promise<Result> =>
    away ? Promise.reject(new Error('the database is away')) : call();
  const keyedRequests = (node: string, epoch: number): KeyedRequests => {
    const real = createKeyedRequests(database.writer.db, node, epoch);
    return { claim: (wanted) => reach(() => real.claim(wanted)), end: (claimed, ending) => reach(() => real.end(claimed, ending)) };
  };
  return {
    database,
    upstream,
    organization,
    secret: one.secret,
    otherSecret: other.secret,
    get away() {
      return away;
    },
    set away(next) {
      away = next;
    },
    start: async (options = {}) => {
      const proxy = await startProxy({
        providers: { acme: upstream.baseUrl },
        models: [testModel('acme/fast')],
        keys: [one.key, other.key],
        leaseDatabase: (node, incarnation) => createLeaseDatabase(database.writer.db, node, incarnation),
        keyedRequests,
        ...options,
      });
      proxies.push(proxy);
      return proxy;
    },
    chat: (proxy, idempotencyKey, body = {}, init = {}) =>
      fetch(`${proxy.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }], ...body }),
        ...init,
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${one.secret}`,
          ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
          ...init.headers,
        },
      }),
    [Symbol.asyncDispose]: async () => {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}
