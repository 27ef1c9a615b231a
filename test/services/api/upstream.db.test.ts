import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { verifyCredential } from '../../../services/api/upstream/verify-credential.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { changeOf } from '../../harness/registry.ts';

interface Payload {
  readonly errors: readonly { readonly code: string; readonly path: readonly string[] }[];
  readonly replayed: boolean;
  readonly auditEventId: string | null;
  readonly cursor: string | null;
}

const common = 'errors { code path } replayed auditEventId cursor';
let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('upstream');
});
afterAll(() => api[Symbol.asyncDispose]());

/** Runs a mutation with `$input` and the fields asked for besides the common ones. */
async function change<Entity>(
  field: string,
  input: Record<string, unknown>,
  selection: string,
  key = tenant.adminKey,
): Promise<Payload & Entity> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
  const { data, errors } = await api.ask<Record<string, Payload & Entity>>(
    key,
    `mutation M($input: ${type}) { ${field}(input: $input) { ${common} ${selection} } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  const payload = data?.[field];
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

let names = 0;
async function makeProvider(baseUrl = 'https://provider.invalid/v1'): Promise<{ id: string; name: string }> {
  names += 1;
  const input = { idempotencyKey: `p${names}`, name: `own${names}`, baseUrl };
  const made = await change<{ provider: { id: string; name: string } }>('providerCreate', input, 'provider { id name }');
  expect(made.errors).toEqual([]);
  return made.provider;
}

/** A provider that lets in who sends `secret`, and remembers what it was asked. */
async function startProvider(secret: string) {
  const asked: { method: string | undefined; url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
    if (request.url?.startsWith('/moved')) response.writeHead(302, { location: '/v1/models' }).end();
    else if (request.url?.startsWith('/broken')) request.socket.destroy();
    else
      response
        .writeHead(request.headers.authorization === `Bearer ${secret}` ? 200 : 401)
        .end(`{"echo":"${request.headers.authorization}"}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a provider of its own is made, changed by version and taken out of use', async () => {
  const { id, name } = await makeProvider();
  const settings = '{ connectTimeout firstByteTimeout idleTimeout maxConnections onClientGone }';
  type Entity = { provider: { version: number; baseUrl: string; isShared: boolean; settings: Record<string, unknown> } | null };
  const selection = `provider { version baseUrl isShared settings ${settings} }`;
  const updated = await change<Entity>(
    'providerUpdate',
    { id, expectedVersion: 1, baseUrl: 'https://other.invalid/v1', settings: { connectTimeout: 'PT2S', onClientGone: 'ABORT' } },
    selection,
  );
  expect(updated.provider).toMatchObject({ version: 2, baseUrl: 'https://other.invalid/v1', isShared: false });
  const again = await change<Entity>(
    'providerUpdate',
    { id, expectedVersion: 2, settings: { connectTimeout: null, maxConnections: 5 } },
    selection,
  );
  expect(again.provider?.settings).toEqual({
    connectTimeout: null,
    firstByteTimeout: null,
    idleTimeout: null,
    maxConnections: 5,
    onClientGone: 'ABORT',
  });
  expect((await change<Entity>('providerUpdate', { id, expectedVersion: 1 }, selection)).errors).toMatchObject([
    { code: 'VERSION_CONFLICT' },
  ]);
  const taken = await change<Entity>('providerCreate', { idempotencyKey: 'again', name, baseUrl: 'https://x.invalid' }, selection);
  expect(taken.errors).toMatchObject([{ code: 'NAME_TAKEN', path: ['input', 'name'] }]);
  for (const baseUrl of ['file:///etc/passwd', 'ftp://x.invalid', 'https://user:word@x.invalid', 'https://x.invalid?a=b', 'nonsense']) {
    const refused = await change<Entity>('providerCreate', { idempotencyKey: baseUrl, name: 'refused', baseUrl }, selection);
    expect([baseUrl, refused.errors.map(({ code }) => code), refused.provider]).toEqual([baseUrl, ['INVALID_INPUT'], null]);
  }
  const archived = await change<{ provider: { archivedAt: string | null } }>(
    'providerArchive',
    { id, expectedVersion: 3 },
    'provider { archivedAt }',
  );
  expect(archived.provider.archivedAt).not.toBeNull();
  const { data } = await api.ask<{ providers: { nodes: { id: string }[] } }>(tenant.adminKey, '{ providers(first: 100) { nodes { id } } }');
  expect(data?.providers.nodes.map((node) => node.id)).not.toContain(id);
});

test('the secret of a credential is in no answer, no audit event and no column in plain', async () => {
  const secret = 'sk-a-very-recognizable-secret-0123456789';
  const next = 'sk-another-recognizable-secret-9876543210';
  const provider = await makeProvider();
  const selection = 'providerCredential { id version keyHint rotatedAt lastVerifiedAt verifyError provider { id hasCredential } }';
  type Entity = { providerCredential: { id: string; version: number; keyHint: string; provider: { hasCredential: boolean } } };
  const input = { idempotencyKey: 'c1', providerId: provider.id, name: 'main', secret };
  const made = await change<Entity>('providerCredentialCreate', input, selection);
  expect(made.providerCredential).toMatchObject({
    version: 1,
    keyHint: '…6789',
    lastVerifiedAt: null,
    provider: { id: provider.id, hasCredential: true },
  });
  const replay = await change<Entity>('providerCredentialCreate', input, selection);
  expect(replay).toMatchObject({ replayed: true, providerCredential: { id: made.providerCredential.id } });
  const reused = await change<Entity>('providerCredentialCreate', { ...input, secret: next }, selection);
  expect(reused.errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  const { id } = made.providerCredential;
  const rotated = await change<Entity>(
    'providerCredentialRotate',
    { idempotencyKey: 'r1', id, expectedVersion: 1, secret: next },
    selection,
  );
  expect(rotated.providerCredential).toMatchObject({ version: 2, keyHint: '…3210' });
  const listed = await api.ask(
    tenant.adminKey,
    `{ providerCredentials(first: 5, providerId: "${provider.id}") { nodes { id name keyHint } } auditEvents(first: 50) { nodes { action changes { field from to } targets { name } } } }`,
  );
  expect(listed.errors).toBeUndefined();
  const { db } = api.database.writer;
  const stored = [
    await db.selectFrom('provider_credentials').selectAll().execute(),
    await db.selectFrom('audit_events').selectAll().execute(),
    await db.selectFrom('idempotency_keys').selectAll().execute(),
  ];
  const text = JSON.stringify([made, replay, reused, rotated, listed, stored], (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
  for (const plain of [secret, next]) expect(text.includes(plain)).toBe(false);
  const revoked = await change<{ providerCredential: { archivedAt: string; provider: { hasCredential: boolean } } }>(
    'providerCredentialRevoke',
    { id, expectedVersion: 2 },
    'providerCredential { archivedAt provider { hasCredential } }',
  );
  expect(revoked.providerCredential.archivedAt).not.toBeNull();
  expect(revoked.providerCredential.provider.hasCredential).toBe(false);
  const gone = await change<Entity>('providerCredentialVerify', { idempotencyKey: 'v-gone', id }, selection);
  expect(gone.errors).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test('verifying calls the provider once with the credential and records what came of it, never what it said', async () => {
  const secret = 'sk-the-one-that-is-let-in-00000001';
  await using upstream = await startProvider(secret);
  const verify = async (path: string, given: string) => {
    const provider = await makeProvider(`${upstream.url}${path}`);
    const made = await change<{ providerCredential: { id: string } }>(
      'providerCredentialCreate',
      { idempotencyKey: `verify ${path} ${given}`, providerId: provider.id, name: 'main', secret: given },
      'providerCredential { id }',
    );
    return change<{ providerCredential: { version: number; lastVerifiedAt: string | null; verifyError: string | null } }>(
      'providerCredentialVerify',
      { idempotencyKey: `verify ${path} ${given}`, id: made.providerCredential.id },
      'providerCredential { version lastVerifiedAt verifyError }',
    );
  };
  const good = await verify('/v1', secret);
  expect(good.errors).toEqual([]);
  expect(good.auditEventId).not.toBeNull();
  expect(good.providerCredential).toMatchObject({ version: 1, lastVerifiedAt: expect.any(String), verifyError: null });
  expect(upstream.asked).toEqual([{ method: 'GET', url: '/v1/models', authorization: `Bearer ${secret}` }]);

  const wrong = await verify('/v1', 'sk-the-wrong-one-0000000002');
  expect(wrong.providerCredential.verifyError).toBe('The provider refused the credential (HTTP 401).');
  const moved = await verify('/moved', secret);
  expect(moved.providerCredential.verifyError).toContain('HTTP 302');
  // Not followed: the secret went to the host it belongs to and nowhere else.
  expect(upstream.asked.map(({ url }) => url)).toEqual(['/v1/models', '/v1/models', '/moved/models']);
  const broken = await verify('/broken', secret);
  expect(broken.providerCredential.verifyError).toBe('The provider could not be reached: it broke the connection off.');
});

test('a host that is not there, or no http, is a result and no failure', async () => {
  const signal = new AbortController().signal;
  const gone = await startProvider('x');
  await gone[Symbol.asyncDispose]();
  expect(await verifyCredential({ baseUrl: gone.url }, 'sk-secret', signal)).toBe(
    'The provider could not be reached: it refused the connection.',
  );
  expect(await verifyCredential({ baseUrl: 'file:///etc' }, 'sk-secret', signal)).toContain('no http(s) URL');
});

test('a model has its price from its own tiers, exactly, and the same prices are the same version', async () => {
  const provider = await makeProvider();
  type Entity = {
    model: {
      id: string;
      name: string;
      isPriced: boolean;
      prices: {
        isOverride: boolean;
        version: string;
        priceVersion: { id: string };
        tiers: { tier: string; aboveInputTokens: number | null; units: unknown[] }[];
      } | null;
    };
  };
  const selection =
    'model { id name version isPriced contextWindow prices { isOverride version priceVersion { id } tiers { tier aboveInputTokens units { unit usd usdPerMillion } } } }';
  const price = [
    {
      aboveInputTokens: 200_000,
      units: [
        { unit: 'input', usdPerMillion: '6' },
        { unit: 'output', usdPerMillion: '22.5' },
      ],
    },
    {
      units: [
        { unit: 'output', usdPerMillion: '15' },
        { unit: 'input', usdPerMillion: '3' },
        { unit: 'request', usd: '0.000001' },
      ],
    },
  ];
  const input = { idempotencyKey: 'm1', providerId: provider.id, name: 'large', contextWindow: '1000000', price };
  const { model } = await change<Entity>('modelCreate', input, selection);
  expect(model).toMatchObject({ name: `${provider.name}/large`, isPriced: true, contextWindow: '1000000' });
  expect(model.prices?.tiers).toEqual([
    {
      tier: 'standard',
      aboveInputTokens: null,
      units: [
        { unit: 'input', usd: '0.000003', usdPerMillion: '3' },
        { unit: 'output', usd: '0.000015', usdPerMillion: '15' },
        { unit: 'request', usd: '0.000001', usdPerMillion: '1' },
      ],
    },
    {
      tier: 'standard',
      aboveInputTokens: 200_000,
      units: [
        { unit: 'input', usd: '0.000006', usdPerMillion: '6' },
        { unit: 'output', usd: '0.0000225', usdPerMillion: '22.5' },
      ],
    },
  ]);
  const version = await api.ask<{ node: { __typename: string; id: string } }>(
    tenant.adminKey,
    'query N($id: ID!) { node(id: $id) { __typename id } }',
    {
      id: model.prices?.version,
    },
  );
  expect(version.data?.node).toEqual({ __typename: 'PriceVersion', id: model.prices?.version });
  const twin = await change<Entity>(
    'modelCreate',
    { ...input, idempotencyKey: 'm2', name: 'twin', price: [...price].reverse() },
    selection,
  );
  expect(twin.model.prices?.version).toBe(model.prices?.version);
  const unpriced = await change<Entity>('modelCreate', { idempotencyKey: 'm3', providerId: provider.id, name: 'unpriced' }, selection);
  expect(unpriced.model).toMatchObject({ isPriced: false, prices: null });
  for (const units of [
    [{ unit: 'input', usdPerMillion: '0.0000001' }],
    [{ unit: 'input', usdPerMillion: '-1' }],
    [{ unit: 'input' }],
    [{ unit: 'input', usd: '1', usdPerMillion: '1' }],
    [{ unit: 'nonsense', usd: '1' }],
    [
      { unit: 'input', usd: '1' },
      { unit: 'input', usd: '2' },
    ],
  ]) {
    const refused = await change<Entity>(
      'modelCreate',
      { ...input, idempotencyKey: JSON.stringify(units), name: 'bad', price: [{ units }] },
      selection,
    );
    expect([units, refused.errors.map(({ code }) => code)]).toEqual([units, ['INVALID_INPUT']]);
  }
});

/** A provider of the installation with one model at 1 USD per million input tokens, as a configuration file brings it. */
async function shareModel(name: string): Promise<{ providerId: string; modelId: string }> {
  const sheet = sheetFromPerMillion({ input: '1', output: '2' });
  await changeOf(api.database.writer.db, tenant.organizationId, (made) =>
    applyProviders(made, {
      owner: 'file',
      providers: [{ name, baseUrl: 'https://shared.invalid/v1', credential: { env: 'SHARED_KEY' }, options: {} }],
      models: [
        {
          name: `${name}/model`,
          upstreamModel: 'model',
          contextWindow: null,
          maxOutputTokens: null,
          price: { version: priceVersion(sheet), sheet, source: 'file' },
        },
      ],
      keys: [],
    }),
  );
  const model = await api.database.writer.db
    .selectFrom('models')
    .select(['id', 'provider_id'])
    .where('name', '=', `${name}/model`)
    .executeTakeFirstOrThrow();
  return { providerId: idFromUuid('provider', model.provider_id), modelId: idFromUuid('model', model.id) };
}

test("an organization's own price of a shared model wins for it alone, until it is ended", async () => {
  const other = await api.makeTenant('upstream-other');
  const { modelId } = await shareModel('everybody');
  const priceOf = async (key: string, at: string | null = null) => {
    const { data, errors } = await api.ask<{
      node: { isPriced: boolean; prices: { isOverride: boolean; tiers: { units: { usdPerMillion: string }[] }[] } };
    }>(
      key,
      'query P($id: ID!, $at: DateTime) { node(id: $id) { ... on Model { isPriced prices(at: $at) { isOverride tiers { units { usdPerMillion } } } } } }',
      { id: modelId, at },
    );
    expect(errors).toBeUndefined();
    const prices = data?.node.prices;
    return [prices?.isOverride, prices?.tiers[0]?.units[0]?.usdPerMillion];
  };
  expect(await priceOf(tenant.adminKey)).toEqual([false, '1']);
  const before = new Date().toISOString();
  const price = [{ units: [{ unit: 'input', usdPerMillion: '0.5' }] }];
  const input = { idempotencyKey: 'o1', modelId, price };
  const set = await change<{ model: { prices: { isOverride: boolean } } }>('priceOverrideSet', input, 'model { prices { isOverride } }');
  expect(set).toMatchObject({ errors: [], model: { prices: { isOverride: true } } });
  expect((await change('priceOverrideSet', input, '')).replayed).toBe(true);
  expect(await priceOf(tenant.adminKey)).toEqual([true, '0.5']);
  expect(await priceOf(tenant.adminKey, before)).toEqual([false, '1']);
  expect(await priceOf(other.adminKey)).toEqual([false, '1']);
  const past = await change('priceOverrideSet', { ...input, idempotencyKey: 'o2', validFrom: before }, '');
  expect(past.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'validFrom'] }]);
  const ended = await change('priceOverrideEnd', { idempotencyKey: 'o3', modelId }, '');
  expect(ended.errors).toEqual([]);
  expect(await priceOf(tenant.adminKey)).toEqual([false, '1']);
});

test('what the installation shares is seen by all, takes credentials of each, and is changed by none', async () => {
  const { providerId, modelId } = await shareModel('common');
  for (const refused of [
    await change('providerUpdate', { id: providerId, expectedVersion: 1, baseUrl: 'https://mine.invalid' }, ''),
    await change('providerArchive', { id: providerId, expectedVersion: 1 }, ''),
    await change('modelArchive', { id: modelId, expectedVersion: 1 }, ''),
    await change('modelCreate', { idempotencyKey: 'shared', providerId, name: 'mine' }, ''),
  ])
    expect(refused.errors).toMatchObject([{ code: 'MANAGED_BY_FILE' }]);
  const own = await change<{ providerCredential: { provider: { isShared: boolean } } }>(
    'providerCredentialCreate',
    { idempotencyKey: 'byok', providerId, name: 'ours', secret: 'sk-bring-your-own-0000000' },
    'providerCredential { provider { isShared } }',
  );
  expect(own.providerCredential.provider.isShared).toBe(true);
});

test('a route is made of targets, replaced as a whole, and keeps what it goes to in use', async () => {
  const provider = await makeProvider();
  const models = [];
  for (const name of ['a', 'b']) {
    const made = await change<{ model: { id: string; version: number } }>(
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
  const made = await change<Entity>(
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
  const inUse = await change('modelArchive', { id: first, expectedVersion: 1 }, '');
  expect(inUse.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const updated = await change<Entity>(
    'routeUpdate',
    { id, expectedVersion: 1, strategy: 'SINGLE', targets: [{ modelId: second }] },
    selection,
  );
  expect(updated.route).toMatchObject({ version: 2, strategy: 'SINGLE', targets: [{ model: { id: second } }] });
  expect((await change('modelArchive', { id: first, expectedVersion: 1 }, '')).errors).toEqual([]);
  const empty = await change<Entity>('routeUpdate', { id, expectedVersion: 2, targets: [] }, selection);
  expect(empty).toMatchObject({ errors: [{ code: 'INVALID_INPUT' }], route: null });
  const stale = await change<Entity>('routeUpdate', { id, expectedVersion: 1, name: 'x' }, selection);
  expect(stale.errors).toMatchObject([{ code: 'VERSION_CONFLICT' }]);
  expect((await change('routeArchive', { id, expectedVersion: 2 }, '')).errors).toEqual([]);
  const { data } = await api.ask<{ routes: { nodes: unknown[] } }>(tenant.adminKey, '{ routes(first: 5) { nodes { id } } }');
  expect(data?.routes.nodes).toEqual([]);
});

test('a service account owns keys of its own kind, and a user may own a key', async () => {
  const account = await change<{ serviceAccount: { id: string; version: number } }>(
    'serviceAccountCreate',
    { idempotencyKey: 'sa1', name: 'nightly' },
    'serviceAccount { id version }',
  );
  const user = await change<{ user: { id: string } }>(
    'userCreate',
    { idempotencyKey: 'u1', email: 'ada@example.org', name: 'Ada' },
    'user { id }',
  );
  type Key = { secret: string | null; apiKey: { kind: string; serviceAccount: { name: string } | null; user: { email: string } | null } };
  const selection = 'secret apiKey { kind serviceAccount { name } user { email } }';
  const serviceAccountId = account.serviceAccount.id;
  const own = await change<Key>('apiKeyCreate', { idempotencyKey: 'k1', name: 'k', kind: 'SERVICE_ACCOUNT', serviceAccountId }, selection);
  expect(own.secret).toMatch(/^tpk_sa_live_/);
  expect(own.apiKey).toMatchObject({ kind: 'SERVICE_ACCOUNT', serviceAccount: { name: 'nightly' }, user: null });
  const personal = await change<Key>('apiKeyCreate', { idempotencyKey: 'k2', name: 'p', userId: user.user.id }, selection);
  expect(personal.apiKey).toMatchObject({ kind: 'MODEL', serviceAccount: null, user: { email: 'ada@example.org' } });
  const ownerless = await change<Key>('apiKeyCreate', { idempotencyKey: 'k3', name: 'k', kind: 'SERVICE_ACCOUNT' }, selection);
  expect(ownerless.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const { data } = await api.ask<{ apiKeys: { nodes: { name: string }[] } }>(
    tenant.adminKey,
    'query K($id: ID!) { apiKeys(first: 5, serviceAccountId: $id) { nodes { name } } }',
    { id: serviceAccountId },
  );
  expect(data?.apiKeys.nodes).toEqual([{ name: 'k' }]);
  const off = await change<{ serviceAccount: { disabledAt: string | null } }>(
    'serviceAccountUpdate',
    { id: serviceAccountId, expectedVersion: 1, disabled: true },
    'serviceAccount { disabledAt }',
  );
  expect(off.serviceAccount.disabledAt).not.toBeNull();
  expect((await change('userUpdate', { id: user.user.id, expectedVersion: 1, name: 'Ada L.' }, '')).errors).toEqual([]);
});

test('each resource has its own permissions', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, ['provider:create', 'credential:read']);
  const create =
    'mutation { providerCreate(input: { idempotencyKey: "perm", name: "perm", baseUrl: "https://x.invalid" }) { errors { code } } }';
  expect((await api.ask(secret, create)).errors).toBeUndefined();
  for (const operation of [
    'mutation { userCreate(input: { idempotencyKey: "perm", name: "x", email: "x@example.org" }) { errors { code } } }',
    'mutation { serviceAccountCreate(input: { idempotencyKey: "perm", name: "x" }) { errors { code } } }',
    '{ routes(first: 1) { nodes { id } } }',
    '{ users(first: 1) { nodes { id } } }',
    '{ serviceAccounts(first: 1) { nodes { id } } }',
  ]) {
    const answer = await api.ask(secret, operation);
    expect([operation, answer.errors?.[0]?.extensions?.code]).toEqual([operation, 'FORBIDDEN']);
  }
  expect((await api.ask(secret, '{ providerCredentials(first: 1) { nodes { id } } }')).errors).toBeUndefined();
});
