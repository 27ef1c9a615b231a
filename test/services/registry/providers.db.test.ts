import type { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import type { Change } from '../../../services/registry/change.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { createCredential } from '../../../services/registry/credentials.ts';
import { setModelPrice } from '../../../services/registry/model-prices.ts';
import { archiveModel, createModel, updateModel } from '../../../services/registry/models.ts';
import { archiveProvider, createProvider, updateProvider } from '../../../services/registry/providers.ts';
import { readRevision, readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { createRoute } from '../../../services/registry/routes.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const provider = { name: 'acme', protocol: 'openai', baseUrl: 'https://acme.example/v1/', options: { connectTimeoutMs: 500 } } as const;
const model = { name: 'large', upstreamModel: null, contextWindow: 8_192, maxOutputTokens: null, price: null } as const;
const price = (input: string) => {
  const sheet = sheetFromPerMillion({ input, output: input });
  return { version: priceVersion(sheet), sheet, source: 'contract' };
};

async function setUp(db: Kysely<Database>) {
  const organizationId = await makeOrganization(db, 'first');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  await change((each) =>
    applyProviders(each, {
      owner: 'file',
      providers: [
        { name: 'shared', protocol: 'openai', baseUrl: 'https://shared.example/v1', credential: { env: 'SHARED_KEY' }, options: {} },
      ],
      models: [{ name: 'shared/small', upstreamModel: 'small', contextWindow: null, maxOutputTokens: null, price: price('1') }],
      keys: [],
    }),
  );
  const sharedProvider = await db.selectFrom('providers').selectAll().executeTakeFirstOrThrow();
  const sharedModel = await db.selectFrom('models').selectAll().executeTakeFirstOrThrow();
  return { organizationId, change, sharedProvider, sharedModel };
}

test('a provider and its model are created, changed and archived, each step audited and counted', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, organizationId } = await setUp(db);
  const before = await readRevision(db);
  const made = await change((each) => createProvider(each, provider));
  expect(made.provider).toMatchObject({
    organization_id: organizationId,
    base_url: 'https://acme.example/v1',
    credential: null,
    version: 1,
  });
  const { id } = made.provider;
  await change((each) => updateProvider(each, { id, expectedVersion: 1, baseUrl: 'http://10.0.0.1:8000' }));
  await expect(change((each) => updateProvider(each, { id, expectedVersion: 1, options: {} }))).rejects.toMatchObject({
    code: 'version_conflict',
  });
  const { model: own } = await change((each) => createModel(each, { ...model, providerId: id }));
  expect(own).toMatchObject({ name: 'acme/large', upstream_model: 'large', context_window: 8_192n });
  const { model: changed } = await change((each) => updateModel(each, { id: own.id, expectedVersion: 1, maxOutputTokens: 100 }));
  expect(changed).toMatchObject({ upstream_model: 'large', context_window: 8_192n, max_output_tokens: 100n, version: 2 });
  await change((each) => archiveModel(each, { id: own.id, expectedVersion: 2 }));
  const { model: again } = await change((each) => createModel(each, { ...model, providerId: id }));
  await change((each) => createCredential(each, { providerId: id, name: 'main', secret: 'sk-0123456789abcdef' }, testSecrets));
  await change((each) => archiveProvider(each, { id, expectedVersion: 2 }));
  const snapshot = await readSnapshot(db);
  expect([snapshot.providers.map(({ name }) => name), snapshot.models.map(({ name }) => name), snapshot.credentials]).toEqual([
    ['shared'],
    ['shared/small'],
    [],
  ]);
  const events = await db.selectFrom('audit_events').select(['action', 'targets']).orderBy('id').execute();
  const actions = events.map(({ action }) => action);
  expect(actions.slice(-8)).toEqual([
    'provider.create',
    'provider.update',
    'model.create',
    'model.update',
    'model.archive',
    'model.create',
    'provider_credential.create',
    'provider.archive',
  ]);
  expect(events.at(-1)?.targets).toMatchObject([
    { type: 'provider' },
    { type: 'model', name: again.name },
    { type: 'provider_credential' },
  ]);
  expect(BigInt(await readRevision(db)) - BigInt(before)).toBe(8n);
  // Its name is free again.
  await change((each) => createProvider(each, provider));
});

test('what is shared by the installation cannot be changed or shadowed by an organization', async () => {
  await using database = await createTestDatabase();
  const { change, sharedProvider, sharedModel } = await setUp(database.writer.db);
  const writes: readonly ((each: Change) => Promise<unknown>)[] = [
    (each: Change) => updateProvider(each, { id: sharedProvider.id, expectedVersion: 1, baseUrl: 'https://elsewhere.example' }),
    (each: Change) => archiveProvider(each, { id: sharedProvider.id, expectedVersion: 1 }),
    (each: Change) => createModel(each, { ...model, providerId: sharedProvider.id }),
    (each: Change) => updateModel(each, { id: sharedModel.id, expectedVersion: 1, upstreamModel: 'dearer' }),
    (each: Change) => archiveModel(each, { id: sharedModel.id, expectedVersion: 1 }),
  ];
  for (const write of writes) {
    await expect(change(write)).rejects.toMatchObject({ code: 'managed_by_file' });
  }
  await expect(change((each) => createProvider(each, { ...provider, name: 'shared' }))).rejects.toMatchObject({ code: 'name_taken' });
});

test('a provider of an organization can neither read the environment of the gateway nor carry a secret in its address', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, organizationId } = await setUp(db);
  for (const baseUrl of [
    'ftp://acme.example',
    'https://user:secret@acme.example',
    'https://acme.example/?key=1',
    'acme',
    'https://a.example/#x',
  ]) {
    await expect(change((each) => createProvider(each, { ...provider, baseUrl }))).rejects.toMatchObject({
      code: 'invalid',
      path: ['baseUrl'],
    });
  }
  for (const name of ['route', 'Acme', '']) {
    await expect(change((each) => createProvider(each, { ...provider, name }))).rejects.toMatchObject({ code: 'invalid', path: ['name'] });
  }
  await expect(change((each) => createProvider(each, { ...provider, options: { maxConnections: 0 } }))).rejects.toMatchObject({
    code: 'invalid',
  });
  for (const [fields, path] of [
    [{ protocol: 'openai', baseUrl: null }, ['baseUrl']],
    [{ options: { apiVersion: '2024-10-21' } }, ['options', 'apiVersion']],
    [{ protocol: 'groq', options: { servesResponses: true } }, ['options', 'servesResponses']],
    [{ protocol: 'azure-openai', options: { apiVersion: '2024-10-21&key=1' } }, ['options', 'apiVersion']],
  ] as const) {
    await expect(change((each) => createProvider(each, { ...provider, ...fields }))).rejects.toMatchObject({ code: 'invalid', path });
  }
  const { provider: azure } = await change((each) =>
    createProvider(each, { ...provider, name: 'azure', protocol: 'azure-openai', options: { apiVersion: '2024-10-21' } }),
  );
  // It would keep the version of an API that it is not spoken to by.
  await expect(change((each) => updateProvider(each, { id: azure.id, expectedVersion: 1, protocol: 'groq' }))).rejects.toMatchObject({
    code: 'invalid',
    path: ['options', 'apiVersion'],
  });
  const { provider: groq } = await change((each) => createProvider(each, { ...provider, name: 'fast', protocol: 'groq', baseUrl: null }));
  expect(groq).toMatchObject({ protocol: 'groq', base_url: 'https://api.groq.com/openai/v1' });
  await change((each) => createProvider(each, provider));
  await expect(
    db
      .updateTable('providers')
      .set({ credential: { env: 'OPENAI_API_KEY' } })
      .where('organization_id', '=', organizationId)
      .execute(),
  ).rejects.toThrow(/check constraint/);
});

test('two organizations may use the same names, and neither sees nor touches what the other has', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change } = await setUp(db);
  const other = await makeOrganization(db, 'second');
  const mine = await change((each) => createProvider(each, provider));
  const myModel = await change((each) => createModel(each, { ...model, providerId: mine.provider.id, price: price('3') }));
  const theirs = await changeOf(db, other, (each) => createProvider(each, provider));
  await changeOf(db, other, (each) => createModel(each, { ...model, providerId: theirs.provider.id }));
  const writes: readonly ((each: Change) => Promise<unknown>)[] = [
    (each: Change) => updateProvider(each, { id: mine.provider.id, expectedVersion: 1, baseUrl: 'https://elsewhere.example' }),
    (each: Change) => archiveProvider(each, { id: mine.provider.id, expectedVersion: 1 }),
    (each: Change) => createModel(each, { ...model, name: 'sneaked', providerId: mine.provider.id }),
    (each: Change) => updateModel(each, { id: myModel.model.id, expectedVersion: 1, upstreamModel: 'x' }),
    (each: Change) => archiveModel(each, { id: myModel.model.id, expectedVersion: 1 }),
    (each: Change) => setModelPrice(each, { modelId: myModel.model.id, price: price('1'), validFrom: null }),
    (each: Change) => createCredential(each, { providerId: mine.provider.id, name: 'x', secret: 'sk-0123456789abcdef' }, testSecrets),
    (each: Change) =>
      createRoute(each, { name: 'r', strategy: 'single', targets: [{ modelId: myModel.model.id, weight: 1, credentialId: null }] }),
  ];
  for (const write of writes) {
    await expect(changeOf(db, other, write)).rejects.toMatchObject({ code: 'not_found' });
  }
});

test("an organization's price is added to history, begins now or later, and can be ended", async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, sharedModel } = await setUp(db);
  const set = (input: { price: ReturnType<typeof price> | null; validFrom: Date | null }) =>
    change((each) => setModelPrice(each, { modelId: sharedModel.id, ...input }));
  await expect(set({ price: null, validFrom: null })).rejects.toMatchObject({ code: 'invalid', path: ['price'] });
  await expect(set({ price: price('0.5'), validFrom: new Date(Date.now() - 60_000) })).rejects.toMatchObject({
    code: 'invalid',
    path: ['validFrom'],
  });
  const begins = new Date(Date.now() + 3_600_000);
  await set({ price: price('0.5'), validFrom: begins });
  await expect(set({ price: price('0.4'), validFrom: begins })).rejects.toMatchObject({ code: 'invalid', path: ['validFrom'] });
  await set({ price: null, validFrom: new Date(begins.getTime() + 1) });
  const [seen] = (await readSnapshot(db)).models;
  expect(seen?.prices.map(({ priceVersion: version }) => version)).toEqual([price('1').version]);
  expect(seen?.ownPrices.map(({ priceVersion: version }) => version)).toEqual([price('0.5').version, null]);
  await expect(db.deleteFrom('model_prices').execute()).rejects.toThrow();
});

test('the first price of an own model holds from ever, and a later one from its time', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change } = await setUp(db);
  const made = await change((each) => createProvider(each, provider));
  const own = await change((each) => createModel(each, { ...model, providerId: made.provider.id, price: price('3') }));
  await change((each) => setModelPrice(each, { modelId: own.model.id, price: price('4'), validFrom: null }));
  const seen = (await readSnapshot(db)).models.find(({ name }) => name === 'acme/large');
  expect(seen?.ownPrices).toMatchObject([{ validFrom: 0, priceVersion: price('3').version }, { priceVersion: price('4').version }]);
  expect(seen?.prices).toEqual([]);
});

test('many writers of the same prices and secrets at once wait for each other and all succeed', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { sharedModel } = await setUp(db);
  const begins = Date.now() + 3_600_000;
  const organizations = await Promise.all(['a', 'b', 'c'].map((slug) => makeOrganization(db, slug)));
  const writes = organizations.flatMap((organizationId) =>
    [0, 1, 2].map((round) =>
      changeOf(db, organizationId, async (each) => {
        const made = await createProvider(each, { ...provider, name: `acme-${round}` });
        await createCredential(each, { providerId: made.provider.id, name: 'main', secret: 'sk-0123456789abcdef' }, testSecrets);
      }).then(() =>
        Promise.all([
          changeOf(db, organizationId, (each) =>
            setModelPrice(each, {
              modelId: sharedModel.id,
              price: price('5'),
              validFrom: new Date(begins + round),
            }),
          ),
          changeOf(db, organizationId, async (each) => {
            const { id } = await each.trx
              .selectFrom('providers')
              .select('id')
              .where('organization_id', '=', organizationId)
              .where('name', '=', `acme-${round}`)
              .executeTakeFirstOrThrow();
            await createModel(each, { ...model, providerId: id, price: price('5') });
          }),
        ]),
      ),
    ),
  );
  await Promise.all(writes);
  const snapshot = await readSnapshot(db);
  expect([snapshot.models.length, snapshot.credentials.length, snapshot.dataKeys.length]).toEqual([10, 9, 3]);
});
