import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestAdministrator } from '../../harness/graphql-administrator.ts';
import { startAdministrator } from '../../harness/graphql-administrator.ts';

let admin: TestAdministrator;
beforeAll(async () => {
  admin = await startAdministrator();
});
afterAll(() => admin[Symbol.asyncDispose]());

test('a route is made of targets, replaced as a whole, and keeps what it goes to in use', async () => {
  const provider = await admin.makeProvider();
  const models = [];
  for (const name of ['a', 'b']) {
    const made = await admin.change<{ model: { id: string; version: number } }>(
      'modelCreate',
      { idempotencyKey: `route ${name}`, providerId: provider.id, name },
      'model { id version }',
    );
    models.push(made.model.id);
  }
  const [first = '', second = ''] = models;
  type Entity = {
    route: { id: string; version: number; strategy: string; targets: { weight: number; model: { id: string }; credential: null }[] } | null;
  };
  const selection = 'route { id version name strategy targets { weight model { id } credential { id } } }';
  const made = await admin.change<Entity>(
    'routeCreate',
    { idempotencyKey: 'rt1', name: 'smart', strategy: 'WEIGHTED', targets: [{ modelId: first, weight: 3 }, { modelId: second }] },
    selection,
  );
  expect(made.route).toMatchObject({
    version: 1,
    strategy: 'WEIGHTED',
    targets: [
      { weight: 3, model: { id: first }, credential: null },
      { weight: 1, model: { id: second }, credential: null },
    ],
  });
  const id = made.route?.id ?? '';
  const inUse = await admin.change('modelArchive', { id: first, expectedVersion: 1 }, '');
  expect(inUse.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const updated = await admin.change<Entity>(
    'routeUpdate',
    { id, expectedVersion: 1, strategy: 'SINGLE', targets: [{ modelId: second }] },
    selection,
  );
  expect(updated.route).toMatchObject({ version: 2, strategy: 'SINGLE', targets: [{ model: { id: second } }] });
  expect((await admin.change('modelArchive', { id: first, expectedVersion: 1 }, '')).errors).toEqual([]);
  const empty = await admin.change<Entity>('routeUpdate', { id, expectedVersion: 2, targets: [] }, selection);
  expect(empty).toMatchObject({ errors: [{ code: 'INVALID_INPUT' }], route: null });
  const stale = await admin.change<Entity>('routeUpdate', { id, expectedVersion: 1, name: 'x' }, selection);
  expect(stale.errors).toMatchObject([{ code: 'VERSION_CONFLICT' }]);
  const cap = (expectedVersion: number, fields: object) =>
    admin.change('routeUpdate', { id, expectedVersion, ...fields }, 'route { maxOutputTokens injectsMaxTokens }');
  expect(await cap(2, { injectMaxTokens: true })).toMatchObject({
    errors: [{ code: 'INVALID_INPUT', path: ['input', 'injectMaxTokens'] }],
  });
  expect(await cap(2, { maxOutputTokens: '0' })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['input', 'maxOutputTokens'] }] });
  expect(await cap(2, { maxOutputTokens: '64', injectMaxTokens: true })).toMatchObject({
    errors: [],
    route: { maxOutputTokens: '64', injectsMaxTokens: true },
  });
  expect(await cap(3, { maxOutputTokens: null, injectMaxTokens: false })).toMatchObject({
    errors: [],
    route: { maxOutputTokens: null, injectsMaxTokens: false },
  });
  expect((await admin.change('routeArchive', { id, expectedVersion: 4 }, '')).errors).toEqual([]);
  const { data } = await admin.api.ask<{ routes: { nodes: unknown[] } }>(admin.tenant.adminKey, '{ routes(first: 5) { nodes { id } } }');
  expect(data?.routes.nodes).toEqual([]);
});

test('a service account owns keys of its own kind, and a user may own a key', async () => {
  const account = await admin.change<{ serviceAccount: { id: string; version: number } }>(
    'serviceAccountCreate',
    { idempotencyKey: 'sa1', name: 'nightly' },
    'serviceAccount { id version }',
  );
  const user = await admin.change<{ user: { id: string } }>(
    'userCreate',
    { idempotencyKey: 'u1', email: 'ada@example.org', name: 'Ada' },
    'user { id }',
  );
  type Key = { secret: string | null; apiKey: { kind: string; serviceAccount: { name: string } | null; user: { email: string } | null } };
  const selection = 'secret apiKey { kind serviceAccount { name } user { email } }';
  const serviceAccountId = account.serviceAccount.id;
  const own = await admin.change<Key>(
    'apiKeyCreate',
    { idempotencyKey: 'k1', name: 'k', kind: 'SERVICE_ACCOUNT', serviceAccountId },
    selection,
  );
  expect(own.secret).toMatch(/^tpk_sa_live_/);
  expect(own.apiKey).toMatchObject({ kind: 'SERVICE_ACCOUNT', serviceAccount: { name: 'nightly' }, user: null });
  const personal = await admin.change<Key>('apiKeyCreate', { idempotencyKey: 'k2', name: 'p', userId: user.user.id }, selection);
  expect(personal.apiKey).toMatchObject({ kind: 'MODEL', serviceAccount: null, user: { email: 'ada@example.org' } });
  const ownerless = await admin.change<Key>('apiKeyCreate', { idempotencyKey: 'k3', name: 'k', kind: 'SERVICE_ACCOUNT' }, selection);
  expect(ownerless.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const { data } = await admin.api.ask<{ apiKeys: { nodes: { name: string }[] } }>(
    admin.tenant.adminKey,
    'query K($id: ID!) { apiKeys(first: 5, serviceAccountId: $id) { nodes { name } } }',
    { id: serviceAccountId },
  );
  expect(data?.apiKeys.nodes).toEqual([{ name: 'k' }]);
  const off = await admin.change<{ serviceAccount: { disabledAt: string | null } }>(
    'serviceAccountUpdate',
    { id: serviceAccountId, expectedVersion: 1, disabled: true },
    'serviceAccount { disabledAt }',
  );
  expect(off.serviceAccount.disabledAt).not.toBeNull();
  expect((await admin.change('userUpdate', { id: user.user.id, expectedVersion: 1, name: 'Ada L.' }, '')).errors).toEqual([]);
});

test('each resource has its own permissions', async () => {
  const { secret } = await admin.api.makeKey(admin.tenant.organizationId, ['provider:create', 'credential:read']);
  const create =
    'mutation { providerCreate(input: { idempotencyKey: "perm", name: "perm", baseUrl: "https://x.invalid" }) { errors { code } } }';
  expect((await admin.api.ask(secret, create)).errors).toBeUndefined();
  for (const operation of [
    'mutation { userCreate(input: { idempotencyKey: "perm", name: "x", email: "x@example.org" }) { errors { code } } }',
    'mutation { serviceAccountCreate(input: { idempotencyKey: "perm", name: "x" }) { errors { code } } }',
    '{ routes(first: 1) { nodes { id } } }',
    '{ users(first: 1) { nodes { id } } }',
    '{ serviceAccounts(first: 1) { nodes { id } } }',
  ]) {
    const answer = await admin.api.ask(secret, operation);
    expect([operation, answer.errors?.[0]?.extensions?.code]).toEqual([operation, 'FORBIDDEN']);
  }
  expect((await admin.api.ask(secret, '{ providerCredentials(first: 1) { nodes { id } } }')).errors).toBeUndefined();
});

test('who may not read users is told whose key it is by nobody', async () => {
  const user = await admin.change<{ user: { id: string } }>(
    'userCreate',
    { idempotencyKey: 'u-private', email: 'grace@example.org', name: 'Grace' },
    'user { id }',
  );
  await admin.change('apiKeyCreate', { idempotencyKey: 'k-private', name: 'private', userId: user.user.id }, '');
  const { secret } = await admin.api.makeKey(admin.tenant.organizationId, ['api_key:read']);
  const query = 'query K($id: ID!) { apiKeys(first: 5, userId: $id) { nodes { name user { email } } } }';
  const told = await admin.api.ask(secret, query, { id: user.user.id });
  expect(told.data).toEqual({ apiKeys: { nodes: [{ name: 'private', user: null }] } });
});
