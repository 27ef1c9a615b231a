import type { BudgetUnit } from '../../../../schema/values/budget.ts';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import { bookRecords } from '../../../../services/ledger/batch.ts';
import { prepareRecords } from '../../../../services/ledger/prepare.ts';
import { createPriceSheets } from '../../../../services/ledger/price-sheets.ts';
import { createPostgresLedgerStore } from '../../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { createLeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import { createLookAtLimits } from '../../../../services/proxy/budgets/look-at-limits.ts';
import { createShareDatabase } from '../../../../services/proxy/shares/share-database.ts';
import type { GivenBudget } from '../../../../services/registry/budget-definition.ts';
import { archiveBudget, createBudget } from '../../../../services/registry/budgets.ts';
import type { Change } from '../../../../services/registry/change.ts';
import type { GivenRateLimit } from '../../../../services/registry/rate-limits.ts';
import { createRateLimit, updateRateLimit } from '../../../../services/registry/rate-limits.ts';
import { readSnapshot } from '../../../../services/registry/read-snapshot.ts';
import type { ProviderOptions, SnapshotModel, SnapshotRoute } from '../../../../services/registry/snapshot.ts';
import type { Clock } from '../../../../services/runtime/clock.ts';
import type { DatabaseConnection } from '../../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../../services/runtime/postgres.ts';
import { startDatabaseLink } from '../../../harness/database-link.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import type { SettledEvent, TestProxy } from '../../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../../harness/proxy.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { changeOf, makeOrganization } from '../../../harness/registry.ts';
import type { ScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { answerJson, completion, startScriptedUpstream } from '../../../harness/scripted-upstream.ts';

/** Proxies of one organization with budgets, over a real database, and a ledger that posts when it is told to. */
export type BudgetedProxies = {
  readonly database: TestDatabase;
  readonly upstream: ScriptedUpstream;
  readonly organizationId: string;
  readonly secret: string;
  /** Writes into the registry of the organization; a proxy that starts afterwards knows the keys that were made. */
  readonly change: <Result>(write: (change: Change) => Promise<Result>) => Promise<Result>;
  readonly define: (budget: Partial<GivenBudget> & { readonly name: string }) => Promise<string>;
  /** @returns its uuid. */
  readonly limitRate: (rateLimit: Partial<GivenRateLimit>) => Promise<string>;
  readonly changeRate: (id: string, limits: GivenRateLimit['limits']) => Promise<void>;
  readonly archive: (id: string) => Promise<void>;
  readonly start: (options?: {
    readonly home?: string;
    readonly node?: string;
    readonly models?: readonly SnapshotModel[];
    readonly routes?: readonly SnapshotRoute[];
    readonly providerOptions?: ProviderOptions;
    /** Its event loop is not judged by it. */
    readonly clock?: Clock;
  }) => Promise<TestProxy>;
  /** @param headers over those of the organization's first key. */
  readonly chat: (proxy: TestProxy, body?: Record<string, unknown>, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  /** Books what the proxies have handed over and is not booked yet. */
  readonly post: () => Promise<void>;
  /** The database takes no connection of a proxy any more and ends those there are; back again. */
  away: boolean;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export const lifetime = (unit: BudgetUnit, amount: bigint) => ({ unit, amount: amount.toString(), window: { kind: 'lifetime' as const } });

export async function budgetedProxies(): Promise<BudgetedProxies> {
  const database = await createTestDatabase();
  const upstream = await startScriptedUpstream((response) => answerJson(response, completion()));
  const uuid = await makeOrganization(database.writer.db, 'acme');
  const organizationId = idFromUuid('organization', uuid);
  const { key, secret } = testKey({ organizationId });
  const inOrganization: BudgetedProxies['change'] = (write) => changeOf(database.writer.db, uuid, write);
  const store = createPostgresLedgerStore(database.writer);
  const proxies: TestProxy[] = [];
  const connections: DatabaseConnection[] = [];
  const booked = new Set<SettledEvent>();
  const link = await startDatabaseLink(database.url);
  let away = false;
  let offset = 0n;

  return {
    database,
    upstream,
    organizationId,
    secret,
    change: inOrganization,
    get away() {
      return away;
    },
    set away(next) {
      away = next;
      link.faults.refuse(next);
      if (next) link.faults.cut();
    },
    define: (given) =>
      inOrganization(async (change) => {
        const { budget } = await createBudget(change, {
          selector: [],
          groupBy: [],
          limits: [],
          thresholds: [],
          enforcement: 'enforce',
          downgradeTo: null,
          onUnpricedModel: 'block',
          fallbackPrice: null,
          ...given,
        });
        return budget.id;
      }),
    limitRate: (given) =>
      inOrganization(async (change) => {
        const { rateLimit } = await createRateLimit(change, {
          name: 'Limit',
          selector: [],
          groupBy: [],
          limits: [],
          reserve: null,
          ...given,
        });
        return rateLimit.id;
      }),
    changeRate: (id, limits) =>
      inOrganization(async (change) => {
        await updateRateLimit(change, { id, expectedVersion: 1, limits });
      }),
    archive: (id) =>
      inOrganization(async (change) => {
        await archiveBudget(change, { id, expectedVersion: 1 });
      }),
    start: async (options = {}) => {
      const connection = createDatabase({
        url: link.url,
        role: 'writer',
        applicationName: 'turnpike-test-leases',
        poolSize: 4,
        statementTimeoutMs: 5_000,
      });
      connections.push(connection);
      const { keys, budgets, rateLimits, organizations } = await readSnapshot(database.writer.db);
      const models = options.models ?? [testModel('acme/fast', { maxOutputTokens: 10 })];
      const proxy = await startProxy({
        providers: Object.fromEntries(models.map(({ providerName }) => [providerName, upstream.baseUrl])),
        models,
        routes: options.routes ?? [],
        keys: [key, ...keys],
        budgets,
        // Far beyond what a busy machine takes: the 250 ms are tested where time is the test's (lease-node.test.ts).
        limits: { leaseWaitMs: 20_000, ...(options.clock === undefined ? {} : { maxLoopDelayMs: Number.POSITIVE_INFINITY }) },
        rateLimits,
        organizations,
        ...(options.providerOptions === undefined ? {} : { providerOptions: options.providerOptions }),
        leaseDatabase: (node, incarnation) => createLeaseDatabase(connection.db, node, incarnation),
        shareDatabase: (node, epoch) => createShareDatabase(connection.db, node, epoch),
        lookAtLimits: createLookAtLimits(connection.db),
        ...(options.home === undefined ? {} : { home: options.home }),
        ...(options.node === undefined ? {} : { node: options.node }),
        ...(options.clock === undefined ? {} : { clock: options.clock }),
      });
      proxies.push(proxy);
      // A start waits two seconds at most for the first lease; what comes before it would be refused.
      await eventually(async () => {
        const answer = (await (await fetch(`${proxy.url}/readyz`)).json()) as { details?: { leases?: string } };
        return answer.details?.leases === 'in touch with the database';
      });
      return proxy;
    },
    chat: (proxy, body = {}, headers = {}) =>
      fetch(`${proxy.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }], ...body }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
      }),
    post: async () => {
      const open = proxies.flatMap(({ events }) => events).filter((event) => !booked.has(event));
      if (open.length === 0) return;
      for (const event of open) booked.add(event);
      const records = open.map(({ record }) => {
        offset += 1n;
        const { key: recordKey, partition, headers, value } = record;
        return { key: recordKey, partition, headers, value, offset };
      });
      const prepared = await prepareRecords(records, createPriceSheets(store, recordingLog()), Date.now());
      await store.ensureRoom([Date.now()]);
      const { dead } = await store.transaction((books) => bookRecords(books, prepared));
      if (dead.length > 0) throw new Error(`not booked: ${dead.map(({ reason, detail }) => `${reason} ${detail}`).join(', ')}`);
    },
    [Symbol.asyncDispose]: async () => {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
      for (const connection of connections) await connection.close();
      await link.faults.close();
      await upstream[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}
