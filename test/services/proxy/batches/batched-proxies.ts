import { randomBytes } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { idFromUuid, mintId } from '../../../../schema/values/ids.ts';
import { bookRecords } from '../../../../services/ledger/batch.ts';
import { prepareRecords } from '../../../../services/ledger/prepare.ts';
import { createPriceSheets } from '../../../../services/ledger/price-sheets.ts';
import { createPostgresLedgerStore } from '../../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import type { PriceSheet } from '../../../../services/pricing/price-sheet.ts';
import { priceVersion } from '../../../../services/pricing/price-sheet.ts';
import type { BatchRecords } from '../../../../services/proxy/batches/batch-records.ts';
import { createBatchRecords } from '../../../../services/proxy/batches/batch-records.ts';
import type { BatchTimes } from '../../../../services/proxy/batches/batch-times.ts';
import { createLeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import { createFileRecords } from '../../../../services/proxy/files/file-records.ts';
import type { SnapshotModel } from '../../../../services/registry/snapshot.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import type { SettledEvent, TestProxy, TestProxyOptions } from '../../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../../harness/proxy.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { makeOrganization } from '../../../harness/registry.ts';
import type { RunningSimulator } from '../../../harness/simulator.ts';
import { startSimulator } from '../../../harness/simulator.ts';

/** Proxies of two organizations in front of the simulated provider, over one real database, and a ledger that posts when it is told to. */
export type BatchedProxies = {
  readonly database: TestDatabase;
  readonly simulator: RunningSimulator;
  /** `org_…` */
  readonly organizationId: string;
  readonly secret: string;
  readonly otherSecret: string;
  readonly apiKeyId: string;
  readonly start: (
    options?: Partial<TestProxyOptions> & { readonly wrap?: (records: BatchRecords) => BatchRecords; readonly times?: Partial<BatchTimes> },
  ) => Promise<TestProxy>;
  readonly client: (proxy: TestProxy, secret?: string) => OpenAI;
  /** Uploads the input of a batch, one line a text, for the first model, and makes the batch. */
  readonly batch: (proxy: TestProxy, texts: readonly string[], body?: Readonly<Record<string, unknown>>) => Promise<OpenAI.Batch>;
  /** Books what the proxies have handed over and is not booked yet; how many of the records the ledger had already. */
  readonly post: () => Promise<number>;
  /** The entries that are charges. */
  readonly charges: () => Promise<readonly Charge[]>;
  readonly states: () => Promise<readonly string[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

type Charge = {
  readonly cost: bigint | null;
  readonly unrated: string | null;
  readonly model: string | null;
  readonly flags: readonly string[];
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly key: string;
  readonly tags: unknown;
};

/** So short that a test need not wait. */
const QUICK: BatchTimes = {
  watchMs: 20,
  claimMs: 60_000,
  makingMs: 50,
  makingMostMs: 60_000,
  runningLeastMs: 20,
  runningMostMs: 50,
  bookedMs: 20,
  retryFirstMs: 20,
  retryMostMs: 100,
};

export async function batchedProxies(sheets: Readonly<Record<string, PriceSheet>>): Promise<BatchedProxies> {
  const database = await createTestDatabase();
  const simulator = await startSimulator();
  const organization = async (slug: string) => idFromUuid('organization', await makeOrganization(database.writer.db, slug));
  const organizationId = await organization('acme');
  const acme = testKey({ organizationId, tags: { project: 'nightly' } });
  const other = testKey({ organizationId: await organization('other') });
  const models: SnapshotModel[] = Object.entries(sheets).map(([name, sheet]) =>
    testModel(name, { prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }] }),
  );
  for (const sheet of Object.values(sheets)) {
    await database.writer.db
      .insertInto('price_versions')
      .values({ name: priceVersion(sheet), sheet: JSON.stringify(sheet), created_at: new Date() })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const providerIds = { sim: mintId('provider', Date.now(), randomBytes(10)) };
  const store = createPostgresLedgerStore(database.writer);
  const proxies: TestProxy[] = [];
  const booked = new Set<SettledEvent>();
  let offset = 0n;
  const client: BatchedProxies['client'] = (proxy, secret = acme.secret) =>
    new OpenAI({ baseURL: proxy.baseUrl, apiKey: secret, maxRetries: 0 });

  return {
    database,
    simulator,
    organizationId,
    secret: acme.secret,
    otherSecret: other.secret,
    apiKeyId: acme.key.id,
    client,
    start: async ({ wrap = (records: BatchRecords) => records, times = {}, ...options } = {}) => {
      const proxy = await startProxy({
        providers: { sim: simulator.baseUrl },
        providerIds,
        models,
        keys: [acme.key, other.key],
        fileRecords: createFileRecords(database.writer.db),
        leaseDatabase: (node, incarnation) => createLeaseDatabase(database.writer.db, node, incarnation),
        batchRecords: wrap(createBatchRecords(database.writer.db)),
        ...options,
        limits: { batches: { ...QUICK, ...times }, ...options.limits },
      });
      proxies.push(proxy);
      return proxy;
    },
    batch: async (proxy, texts, body = {}) => {
      const lines = texts.map((content, index) =>
        JSON.stringify({
          custom_id: `line-${index}`,
          method: 'POST',
          url: '/v1/chat/completions',
          body: { model: Object.keys(sheets)[0], messages: [{ role: 'user', content }], ...body },
        }),
      );
      const { files, batches } = client(proxy);
      const input = await files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'), purpose: 'batch' });
      return batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    },
    post: async () => {
      const fresh = proxies.flatMap(({ events }) => events).filter((event) => !booked.has(event));
      for (const event of fresh) booked.add(event);
      const records = fresh.map(({ record: { key, partition, headers, value } }) => {
        offset += 1n;
        return { key, partition, headers, value, offset };
      });
      const prepared = await prepareRecords(records, createPriceSheets(store, recordingLog()), Date.now());
      await store.ensureRoom([Date.now()]);
      const { duplicates, dead } = await store.transaction((books) => bookRecords(books, prepared));
      if (dead.length > 0) throw new Error(`dead letters: ${dead.map(({ reason }) => reason).join(', ')}`);
      return duplicates;
    },
    charges: async () => {
      const rows = await database.writer.db
        .selectFrom('ledger_entries')
        .select(['cost', 'unrated', 'model', 'flags', 'tokens_input as input', 'tokens_output as output', 'api_key_id', 'tags'])
        .where('endpoint', '=', '/v1/batches')
        .where(({ eb }) => eb.or([eb('tokens_input', 'is not', null), eb('unrated', 'is not', null)]))
        .orderBy('entry_id')
        .execute();
      return rows.map(({ api_key_id: key, ...charge }) => ({ ...charge, key: key === null ? '' : idFromUuid('apiKey', key) }));
    },
    states: async () =>
      (await database.writer.db.selectFrom('provider_batches').select('state').orderBy('created_at').execute()).map(({ state }) => state),
    [Symbol.asyncDispose]: async () => {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}
