import { expect, test } from 'vitest';
import { createTenantRead } from '../../../services/api/reads/tenant-read.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import type { Change } from '../../../services/registry/change.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { createCredential } from '../../../services/registry/credentials.ts';
import { setModelPrice } from '../../../services/registry/model-prices.ts';
import { createModel } from '../../../services/registry/models.ts';
import { createProvider } from '../../../services/registry/providers.ts';
import { createRoute } from '../../../services/registry/routes.ts';
import { createServiceAccount } from '../../../services/registry/service-accounts.ts';
import { createUser } from '../../../services/registry/users.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const price = (input: string) => {
  const sheet = sheetFromPerMillion({ input, output: input });
  return { version: priceVersion(sheet), sheet, source: 'contract' };
};

/** Everything an organization can have, under the same names in each. */
async function fill(change: Change, sharedModelId: string, usd: string): Promise<void> {
  const { provider } = await createProvider(change, {
    name: 'own',
    protocol: 'openai',
    baseUrl: `https://own-${usd}.example/v1`,
    options: {},
  });
  const { model } = await createModel(change, {
    providerId: provider.id,
    name: 'large',
    upstreamModel: null,
    contextWindow: null,
    maxOutputTokens: null,
    price: price(usd),
  });
  await setModelPrice(change, { modelId: sharedModelId, price: price(`${usd}.5`), validFrom: null });
  const { credential } = await createCredential(
    change,
    { providerId: provider.id, name: 'main', secret: `sk-0123456789abcde${usd}` },
    testSecrets,
  );
  await createRoute(change, { name: 'chat', strategy: 'single', targets: [{ modelId: model.id, weight: 1, credentialId: credential.id }] });
  await createServiceAccount(change, { name: 'batch' });
  await createUser(change, { email: `ada-${usd}@example.org`, name: 'Ada' });
}

/** All that the reader's role can see in the name of an organization; null = without naming one. */
async function seenBy(database: TestDatabase, organizationId: string | null) {
  const read = organizationId === null ? null : createTenantRead(database.reader.db, organizationId, new AbortController().signal);
  const rows = async (query: (db: typeof database.reader.db) => Promise<readonly object[]>): Promise<string[]> =>
    (read === null ? await query(database.reader.db) : await read(query)).map((row) => Object.values(row).join(' ')).sort();
  return {
    providers: await rows((db) => db.selectFrom('providers').select(['name', 'base_url']).execute()),
    models: await rows((db) => db.selectFrom('models').select(['name']).execute()),
    prices: await rows((db) => db.selectFrom('model_prices').select('price_version').execute()),
    sheets: await rows((db) => db.selectFrom('price_versions').select('name').execute()),
    credentials: await rows((db) => db.selectFrom('provider_credentials').select(['name', 'hint']).execute()),
    routes: await rows((db) => db.selectFrom('routes').select('name').execute()),
    targets: await rows((db) => db.selectFrom('route_targets').select('weight').execute()),
    accounts: await rows((db) => db.selectFrom('service_accounts').select('name').execute()),
    users: await rows((db) => db.selectFrom('users').select('email').execute()),
  };
}

test('each organization reads what is its own and what is shared, and without an organization only the shared can be read', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const [first, second, third] = [
    await makeOrganization(db, 'first'),
    await makeOrganization(db, 'second'),
    await makeOrganization(db, 'third'),
  ];
  await changeOf(db, first, (change) =>
    applyProviders(change, {
      owner: 'file',
      providers: [{ name: 'shared', protocol: 'openai', baseUrl: 'https://shared.example/v1', credential: null, options: {} }],
      models: [{ name: 'shared/small', upstreamModel: 'small', contextWindow: null, maxOutputTokens: null, price: price('9') }],
      keys: [],
    }),
  );
  const shared = await db.selectFrom('models').select('id').executeTakeFirstOrThrow();
  await changeOf(db, first, (change) => fill(change, shared.id, '1'));
  await changeOf(db, second, (change) => fill(change, shared.id, '2'));

  const ofShared = {
    providers: ['shared https://shared.example/v1'],
    models: ['shared/small'],
    prices: [price('9').version],
    sheets: [price('9').version],
    credentials: [],
    routes: [],
    targets: [],
    accounts: [],
    users: [],
  };
  for (const [organizationId, usd] of [
    [first, '1'],
    [second, '2'],
  ] as const) {
    const versions = [price('9').version, price(usd).version, price(`${usd}.5`).version].sort();
    expect(await seenBy(database, organizationId)).toEqual({
      providers: [`own https://own-${usd}.example/v1`, 'shared https://shared.example/v1'],
      models: ['own/large', 'shared/small'],
      prices: versions,
      sheets: versions,
      credentials: [`main cde${usd}`],
      routes: ['chat'],
      targets: ['1'],
      accounts: ['batch'],
      users: [`ada-${usd}@example.org`],
    });
  }
  expect(await seenBy(database, third)).toEqual(ofShared);
  expect(await seenBy(database, null)).toEqual(ofShared);
});
