import type { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import type { Change } from '../../../services/registry/change.ts';
import { archiveCredential, createCredential } from '../../../services/registry/credentials.ts';
import { archiveModel, createModel } from '../../../services/registry/models.ts';
import { archiveProvider, createProvider } from '../../../services/registry/providers.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import type { RouteTargetInput } from '../../../services/registry/routes.ts';
import { archiveRoute, createRoute, updateRoute } from '../../../services/registry/routes.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const target = (modelId: string, weight = 1, credentialId: string | null = null): RouteTargetInput => ({ modelId, weight, credentialId });

async function setUp(db: Kysely<Database>) {
  const organizationId = await makeOrganization(db, 'first');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const makeProvider = async (name: string) =>
    (await change((each) => createProvider(each, { name, protocol: 'openai', baseUrl: `https://${name}.example/v1`, options: {} })))
      .provider.id;
  const makeModel = async (providerId: string, name: string) =>
    (
      await change((each) =>
        createModel(each, { providerId, name, upstreamModel: null, contextWindow: null, maxOutputTokens: null, price: null }),
      )
    ).model.id;
  const makeCredential = async (providerId: string) =>
    (await change((each) => createCredential(each, { providerId, name: 'main', secret: 'sk-0123456789abcdef' }, testSecrets))).credential
      .id;
  const acme = await makeProvider('acme');
  const zeta = await makeProvider('zeta');
  return { change, acme, zeta, large: await makeModel(acme, 'large'), small: await makeModel(zeta, 'small'), makeModel, makeCredential };
}

test('a route is published at once, changed as a whole and archived, each step audited', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, large, small } = await setUp(db);
  const { route } = await change((each) =>
    createRoute(each, { name: 'chat', strategy: 'weighted', targets: [target(large, 900), target(small, 100)], maxOutputTokens: 64 }),
  );
  expect((await readSnapshot(db)).routes).toMatchObject([
    { name: 'chat', strategy: 'weighted', outputCap: { tokens: 64, injected: false }, targets: [{ weight: 900 }, { weight: 100 }] },
  ]);
  const changed = await change((each) =>
    updateRoute(each, { id: route.id, expectedVersion: 1, strategy: 'single', targets: [target(small)], injectMaxTokens: true }),
  );
  expect(changed.route).toMatchObject({
    name: 'chat',
    strategy: 'single',
    max_output_tokens: 64n,
    injects_max_tokens: true,
    version: 2,
    targets: [{ model_id: small, weight: 1, position: 0 }],
  });
  await expect(change((each) => updateRoute(each, { id: route.id, expectedVersion: 1, name: 'talk' }))).rejects.toMatchObject({
    code: 'version_conflict',
  });
  await change((each) => archiveRoute(each, { id: route.id, expectedVersion: 2 }));
  expect((await readSnapshot(db)).routes).toEqual([]);
  const actions = await db.selectFrom('audit_events').select('action').where('action', 'like', 'route.%').orderBy('id').execute();
  expect(actions.map(({ action }) => action)).toEqual(['route.create', 'route.update', 'route.archive']);
  // Its name is free again.
  await change((each) => createRoute(each, { name: 'chat', strategy: 'single', targets: [target(large)] }));
});

test('a route and a model never have the same name', async () => {
  await using database = await createTestDatabase();
  const { change, acme, large, makeModel } = await setUp(database.writer.db);
  const single = { strategy: 'single', targets: [target(large)] } as const;
  await expect(change((each) => createRoute(each, { name: 'large', ...single }))).rejects.toMatchObject({ code: 'name_taken' });
  const { route } = await change((each) => createRoute(each, { name: 'chat', ...single }));
  await expect(makeModel(acme, 'chat')).rejects.toMatchObject({ code: 'name_taken' });
  await expect(change((each) => createRoute(each, { name: 'chat', ...single }))).rejects.toMatchObject({ code: 'name_taken' });
  await expect(change((each) => updateRoute(each, { id: route.id, expectedVersion: 1, name: 'large' }))).rejects.toMatchObject({
    code: 'name_taken',
  });
  for (const name of ['', 'route/chat', 'Chat', 'a b']) {
    await expect(change((each) => createRoute(each, { name, ...single }))).rejects.toMatchObject({ code: 'invalid', path: ['name'] });
  }
});

test('targets are one to sixteen with weights from 1 to 1000, and exactly one of a single route', async () => {
  await using database = await createTestDatabase();
  const { change, large, small } = await setUp(database.writer.db);
  const create = (strategy: 'single' | 'weighted', targets: readonly RouteTargetInput[]) =>
    change((each) => createRoute(each, { name: 'chat', strategy, targets }));
  for (const weight of [0, 1_001, 1.5, Number.NaN]) {
    await expect(create('weighted', [target(large, weight)])).rejects.toMatchObject({ code: 'invalid', path: ['targets', '0', 'weight'] });
  }
  await expect(create('weighted', [])).rejects.toMatchObject({ code: 'invalid', path: ['targets'] });
  await expect(
    create(
      'weighted',
      Array.from({ length: 17 }, () => target(large)),
    ),
  ).rejects.toMatchObject({ code: 'invalid' });
  await expect(create('single', [target(large), target(small)])).rejects.toMatchObject({ code: 'invalid' });
  const { route } = await create('weighted', [target(large), target(small)]);
  await expect(change((each) => updateRoute(each, { id: route.id, expectedVersion: 1, strategy: 'single' }))).rejects.toMatchObject({
    code: 'invalid',
  });
});

test('a target may name only a credential of its own provider', async () => {
  await using database = await createTestDatabase();
  const { change, acme, zeta, large, makeCredential } = await setUp(database.writer.db);
  const [own, foreign] = [await makeCredential(acme), await makeCredential(zeta)];
  const create = (credentialId: string) =>
    change((each) => createRoute(each, { name: 'chat', strategy: 'single', targets: [target(large, 1, credentialId)] }));
  await expect(create(foreign)).rejects.toMatchObject({ code: 'not_found', path: ['targets', '0', 'credentialId'] });
  expect((await create(own)).route.targets).toMatchObject([{ credential_id: own }]);
});

test('what a live route goes to cannot be taken away under it', async () => {
  await using database = await createTestDatabase();
  const { change, acme, large, makeCredential } = await setUp(database.writer.db);
  const credential = await makeCredential(acme);
  const { route } = await change((each) =>
    createRoute(each, { name: 'chat', strategy: 'single', targets: [target(large, 1, credential)] }),
  );
  const takings: readonly ((each: Change) => Promise<unknown>)[] = [
    (each: Change) => archiveCredential(each, { id: credential, expectedVersion: 1 }),
    (each: Change) => archiveModel(each, { id: large, expectedVersion: 1 }),
    (each: Change) => archiveProvider(each, { id: acme, expectedVersion: 1 }),
  ];
  for (const taking of takings) {
    await expect(change(taking)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('chat') });
  }
  await change((each) => archiveRoute(each, { id: route.id, expectedVersion: 1 }));
  for (const taking of takings) await change(taking);
});
