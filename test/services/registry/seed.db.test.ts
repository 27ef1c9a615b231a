import { expect, test } from 'vitest';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import type { DesiredState } from '../../../services/registry/configuration/desired-state.ts';
import { readRevision, readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { seed } from '../../../services/registry/seed.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { testSecrets } from '../../harness/registry.ts';

const price = (digit: string) => ({
  version: `pv_${digit.repeat(32)}`,
  sheet: { standard: { input: digit, output: digit } },
  source: 'test',
});
const simulated: DesiredState = {
  owner: 'simulator',
  providers: [{ name: 'sim', protocol: 'openai', baseUrl: 'http://127.0.0.1:4200/v1', credential: null, options: {} }],
  models: [
    { name: 'sim/echo', upstreamModel: 'echo', contextWindow: 128_000, maxOutputTokens: 4_096, price: price('1') },
    { name: 'sim/slow', upstreamModel: 'slow', contextWindow: null, maxOutputTokens: null, price: null },
  ],
  keys: [],
};
const options = (
  desired: readonly DesiredState[],
  known = { adminKey: null, demoKey: null } as { adminKey: string | null; demoKey: string | null },
) => ({
  secrets: testSecrets,
  clock: systemClock,
  random: systemRandom,
  known,
  desired,
});

test('seeding twice with the keys it gave changes nothing', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const keys = await seed(db, options([simulated]));
  const revision = await readRevision(db);
  expect(await seed(db, options([simulated], keys))).toEqual(keys);
  expect(await readRevision(db)).toBe(revision);
});

test('lost keys are rotated: the new ones work and the old ones are revoked', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const old = await seed(db, options([simulated]));
  const fresh = await seed(db, options([simulated]));
  expect(fresh.adminKey).not.toBe(old.adminKey);
  expect((await findPrincipal(db, old.adminKey, testSecrets, Date.now())).kind).toBe('revoked');
  expect((await findPrincipal(db, fresh.demoKey, testSecrets, Date.now())).kind).toBe('known');
});

test('a start always ends with keys that work, also where somebody disabled them or their time is up', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const first = await seed(db, options([simulated]));
  await db.updateTable('api_keys').set({ disabled_at: new Date() }).where('kind', '=', 'adm').execute();
  const second = await seed(db, options([simulated], first));
  expect((await findPrincipal(db, second.adminKey, testSecrets, Date.now())).kind).toBe('known');
  await db
    .updateTable('api_keys')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .execute();
  const third = await seed(db, options([simulated], second));
  for (const key of [third.adminKey, third.demoKey]) expect((await findPrincipal(db, key, testSecrets, Date.now())).kind).toBe('known');
});

test('the snapshot shows the demo key, restricted to the simulated provider, and never an admin key', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  await seed(db, options([simulated]));
  const snapshot = await readSnapshot(db);
  expect(snapshot.keys).toMatchObject([{ name: 'Demo', allowedModels: ['sim/*'], secrets: [{ revokedAt: null }] }]);
  expect(snapshot.models).toMatchObject([
    { name: 'sim/echo', providerName: 'sim', upstreamModel: 'echo', prices: [{ validFrom: 0, priceVersion: price('1').version }] },
    { name: 'sim/slow', prices: [] },
  ]);
});

test('a changed price is added as a new version and the old one stays', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const keys = await seed(db, options([simulated]));
  const dearer = {
    ...simulated,
    models: simulated.models.map((model) => (model.price === null ? model : { ...model, price: price('2') })),
  };
  await seed(db, options([dearer], keys));
  const prices = (await readSnapshot(db)).models.find((model) => model.name === 'sim/echo')?.prices ?? [];
  expect(prices.map(({ priceVersion }) => priceVersion)).toEqual([price('1').version, price('2').version]);
});

test('what an owner no longer names goes out of use, and comes back when it is named again', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const secret = mintVirtualKey('ak', 'live', systemRandom.bytes);
  const file: DesiredState = {
    owner: 'file',
    providers: [
      {
        name: 'acme',
        protocol: 'openai',
        baseUrl: 'https://acme.example/v1',
        credential: { env: 'ACME_KEY' },
        options: { onClientGone: 'abort' },
      },
    ],
    models: [{ name: 'acme/large', upstreamModel: 'large', contextWindow: null, maxOutputTokens: null, price: null }],
    keys: [
      {
        name: 'shop',
        secret,
        team: 'Shop',
        allowedModels: ['acme/*'],
        allowedEndpoints: ['/v1/models'],
        allowedCidrs: ['10.0.0.0/8'],
        allowedOverrides: ['timeout'],
        tags: {},
        metadata: {},
        expiresAt: null,
      },
    ],
  };
  const keys = await seed(db, options([file, simulated]));
  const seen = async () => {
    const snapshot = await readSnapshot(db);
    const key = snapshot.keys.find(({ name }) => name === 'shop');
    return { providers: snapshot.providers.map(({ name }) => name), usable: key !== undefined && key.disabledAt === null };
  };
  expect(await seen()).toEqual({ providers: ['acme', 'sim'], usable: true });
  expect((await readSnapshot(db)).keys.find(({ name }) => name === 'shop')).toMatchObject({
    allowedModels: ['acme/*'],
    allowedEndpoints: ['/v1/models'],
    allowedCidrs: ['10.0.0.0/8'],
    allowedOverrides: ['timeout'],
  });
  await seed(db, options([{ owner: 'file', providers: [], models: [], keys: [] }, simulated], keys));
  expect(await seen()).toEqual({ providers: ['sim'], usable: false });
  await seed(db, options([file, simulated], keys));
  expect(await seen()).toEqual({ providers: ['acme', 'sim'], usable: true });
  // As a provider of the environment does that stood there before its protocol had a name of its own.
  const renamed = { ...file, providers: file.providers.map((provider) => ({ ...provider, protocol: 'groq' as const })) };
  await seed(db, options([renamed, simulated], keys));
  expect((await readSnapshot(db)).providers.map(({ name, protocol }) => [name, protocol])).toEqual([
    ['acme', 'groq'],
    ['sim', 'openai'],
  ]);
  expect((await findPrincipal(db, secret, testSecrets, Date.now())).kind).toBe('known');
});

test('a changed secret in the environment replaces the old one at once', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const [first, second] = [mintVirtualKey('ak', 'live', systemRandom.bytes), mintVirtualKey('ak', 'live', systemRandom.bytes)];
  const file = (secret: string): DesiredState => ({
    owner: 'file',
    providers: [],
    models: [],
    keys: [
      {
        name: 'shop',
        secret,
        team: null,
        allowedModels: null,
        allowedEndpoints: null,
        allowedCidrs: null,
        allowedOverrides: null,
        tags: {},
        metadata: {},
        expiresAt: null,
      },
    ],
  });
  const keys = await seed(db, options([file(first)]));
  await seed(db, options([file(second)], keys));
  expect((await findPrincipal(db, first, testSecrets, Date.now())).kind).toBe('revoked');
  expect((await findPrincipal(db, second, testSecrets, Date.now())).kind).toBe('known');
});

test('an owner cannot take over what belongs to another', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  await seed(db, options([simulated]));
  await expect(seed(db, options([{ ...simulated, owner: 'file' }]))).rejects.toMatchObject({ code: 'name_taken' });
});
