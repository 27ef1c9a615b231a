import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintId } from '../../../schema/values/ids.ts';
import { buildCatalogs, catalogOf } from '../../../services/registry/catalog/build-catalogs.ts';
import { dryRun } from '../../../services/registry/catalog/dry-run.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { INSTALLATION_ID } from '../../../services/registry/seed.ts';
import type { TestAdministrator } from '../../harness/graphql-administrator.ts';
import { startAdministrator } from '../../harness/graphql-administrator.ts';
import { changeOf } from '../../harness/registry.ts';

let admin: TestAdministrator;
let keyId: string;
let own: { providerId: string; large: string; small: string; credentialId: string };

interface Run {
  readonly refusals: readonly { readonly code: string; readonly httpStatus: number; readonly candidates: readonly string[] }[];
  readonly route: { readonly name: string } | null;
  readonly decision: { readonly reason: string; readonly candidates: readonly string[] } | null;
  readonly targets: readonly {
    readonly model: { readonly name: string };
    readonly weight: number;
    readonly credentialSource: string;
    readonly credential: { readonly id: string } | null;
    readonly priceVersion: string | null;
  }[];
  readonly weightSum: number;
  readonly skipped: readonly { readonly model: { readonly name: string }; readonly reason: string }[];
  readonly drawn: { readonly model: { readonly name: string } } | null;
}
const question = `query D($key: ID!, $model: String!, $request: ID) { routeDryRun(apiKeyId: $key, model: $model, requestId: $request) {
  refusals { code httpStatus message param isRetryable candidates } route { name } decision { reason candidates }
  targets { model { name } weight credentialSource credential { id } priceVersion } weightSum
  skipped { model { name } weight credential { id } reason } drawn { model { name } } } }`;

async function run(model: string, key = keyId, request: string | null = null): Promise<Run> {
  const { data, errors } = await admin.api.ask<{ routeDryRun: Run }>(admin.tenant.adminKey, question, { key, model, request });
  expect(errors).toBeUndefined();
  if (data?.routeDryRun === undefined) throw new Error('no answer');
  return data.routeDryRun;
}

async function make(field: string, entity: string, input: Record<string, unknown>): Promise<string> {
  const payload = await admin.change<Record<string, { id: string }>>(field, input, `${entity} { id }`);
  expect([field, payload.errors]).toEqual([field, []]);
  return payload[entity]?.id ?? '';
}
const makeKey = (name: string, more: Record<string, unknown> = {}) =>
  make('apiKeyCreate', 'apiKey', { idempotencyKey: `key ${name}`, name, ...more });

beforeAll(async () => {
  admin = await startAdministrator();
  const provider = await admin.makeProvider();
  const makeModel = (name: string, price?: object) =>
    make('modelCreate', 'model', { idempotencyKey: `model ${name}`, providerId: provider.id, name, ...price });
  const large = await makeModel('large', { price: [{ units: [{ unit: 'input', usdPerMillion: '1' }] }] });
  const small = await makeModel('small');
  const credentialId = await make('providerCredentialCreate', 'providerCredential', {
    idempotencyKey: 'c1',
    providerId: provider.id,
    name: 'main',
    secret: 'sk-0123456789abcdef',
  });
  own = { providerId: provider.id, large, small, credentialId };
  keyId = await makeKey('all');
  await make('routeCreate', 'route', {
    idempotencyKey: 'r1',
    name: 'chat',
    strategy: 'WEIGHTED',
    targets: [{ modelId: large, weight: 3, credentialId }, { modelId: small }],
  });
});
afterAll(() => admin[Symbol.asyncDispose]());

/** Makes these, and no others, the models that the installation shares with everybody. */
function share(names: readonly string[]): Promise<void> {
  return changeOf(admin.api.database.writer.db, INSTALLATION_ID, (change) =>
    applyProviders(change, {
      owner: 'file',
      providers: [{ name: 'acme', protocol: 'openai', baseUrl: 'https://acme.invalid/v1', credential: { env: 'ACME_KEY' }, options: {} }],
      models: names.map((name) => ({ name, upstreamModel: 'x', contextWindow: null, maxOutputTokens: null, price: null })),
      keys: [],
    }),
  );
}

test('a route is answered with its targets, their weights, credentials and prices, and what a request id draws', async () => {
  const answer = await run('route/chat', keyId, `req_${'0'.repeat(25)}0`);
  expect(answer).toMatchObject({
    refusals: [],
    route: { name: 'chat' },
    decision: { reason: 'route_weighted', candidates: ['own1/large', 'own1/small'] },
    targets: [
      { model: { name: 'own1/large' }, weight: 3, credentialSource: 'ORGANIZATION', credential: { id: own.credentialId } },
      // Where a target names none, the oldest of the organization's is used.
      { model: { name: 'own1/small' }, weight: 1, credentialSource: 'ORGANIZATION', priceVersion: null },
    ],
    weightSum: 4,
    skipped: [],
    drawn: { model: { name: 'own1/large' } },
  });
  expect(answer.targets[0]?.priceVersion).toMatch(/^pv_[0-9a-f]{32}$/);
  expect((await run('chat', keyId, `req_0${'0'.repeat(19)}zzzzzz`)).drawn).toMatchObject({ model: { name: 'own1/small' } });
  expect((await run('chat')).drawn).toBeNull();
});

test('a model leads to itself, by its full or its bare name', async () => {
  expect(await run('own1/small')).toMatchObject({
    refusals: [],
    route: null,
    decision: { reason: 'named' },
    targets: [{ weight: 1 }],
    weightSum: 1,
  });
  expect(await run('small')).toMatchObject({ decision: { reason: 'only_offer' }, targets: [{ model: { name: 'own1/small' } }] });
});

test('a refusal is told with the code and status an application would get', async () => {
  expect((await run('own1/none')).refusals).toMatchObject([{ code: 'model_not_found', httpStatus: 404 }]);
  const narrow = await makeKey('narrow', { allowedModels: ['own1/large'] });
  expect((await run('chat', narrow)).refusals).toMatchObject([{ code: 'model_not_allowed', httpStatus: 403 }]);
  const over = await makeKey('over', { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  const { db } = admin.api.database.writer;
  await db
    .updateTable('api_keys')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('name', '=', 'over')
    .execute();
  // Both are told: the application sees the first.
  expect((await run('none', over)).refusals.map(({ code }) => code)).toEqual(['key_expired', 'model_not_found']);
  const account = await make('serviceAccountCreate', 'serviceAccount', { idempotencyKey: 'sa', name: 'nightly' });
  const owned = await makeKey('owned', { kind: 'SERVICE_ACCOUNT', serviceAccountId: account });
  await admin.change('serviceAccountUpdate', { id: account, expectedVersion: 1, disabled: true }, '');
  const disabled = await run('small', owned);
  expect(disabled.refusals).toMatchObject([{ code: 'key_disabled', httpStatus: 403 }]);
  expect(disabled.targets).toHaveLength(1);
  const adminKey = idFromUuid('apiKey', admin.tenant.adminKeyId);
  expect((await run('small', adminKey)).refusals).toMatchObject([{ code: 'invalid_api_key', httpStatus: 401 }]);
});

test('whatever is asked, what is read for one name leads where the whole snapshot of a proxy leads', async () => {
  const { db } = admin.api.database.writer;
  await share(['acme/large', 'acme/other']);
  const snapshot = await readSnapshot(db);
  const credentials = new Map(
    snapshot.credentials.map((source) => [source.id, { source, compiled: { kind: 'sealed', id: source.id, reveal: () => null } } as const]),
  );
  const whole = catalogOf(
    buildCatalogs(snapshot, credentials, (version) => version),
    idFromUuid('organization', admin.tenant.organizationId),
  );
  const requestId = mintId('request', 1_700_000_000_000, Buffer.alloc(10, 0xa5));
  for (const name of ['chat', 'route/chat', 'own1/large', 'large', 'small', 'acme/large', 'acme/other', 'other', 'route/large', 'acme/']) {
    const expected = dryRun(whole, { allowedModels: null }, name, requestId);
    const found = await run(name, keyId, requestId);
    expect([name, found.refusals.map(({ code }) => code)]).toEqual([name, expected.refusal === null ? [] : [expected.refusal.code]]);
    expect(found.targets.map(({ model, weight, priceVersion }) => [model.name, weight, priceVersion])).toEqual(
      expected.targets.map(({ target, weight }) => [target.name, weight, target.prices[0]?.sheet ?? null]),
    );
    expect(found.drawn?.model.name).toBe(expected.drawn?.target.name);
    expect(found.decision?.candidates).toEqual(expected.decision?.candidates);
  }
  expect((await run('large')).refusals).toMatchObject([{ code: 'model_ambiguous', candidates: ['own1/large', 'acme/large'] }]);
});

test('a target that the installation took away is skipped and told, and a route of nothing else leads nowhere', async () => {
  await share(['acme/large', 'acme/other']);
  const { id } = await admin.api.database.writer.db
    .selectFrom('models')
    .select('id')
    .where('name', '=', 'acme/other')
    .executeTakeFirstOrThrow();
  const modelId = idFromUuid('model', id);
  const both = [{ modelId, weight: 9 }, { modelId: own.small }];
  await make('routeCreate', 'route', { idempotencyKey: 'r2', name: 'both', strategy: 'WEIGHTED', targets: both });
  await make('routeCreate', 'route', { idempotencyKey: 'r3', name: 'alone', strategy: 'SINGLE', targets: [{ modelId }] });
  expect((await run('both')).targets).toMatchObject([{ weight: 9, credentialSource: 'ENVIRONMENT', credential: null }, { weight: 1 }]);
  await share(['acme/large']);
  const skipped = [{ model: { name: 'acme/other' }, credential: null, reason: 'MODEL_GONE' }];
  expect(await run('both')).toMatchObject({ refusals: [], targets: [{ model: { name: 'own1/small' }, weight: 1 }], weightSum: 1, skipped });
  expect(await run('alone')).toMatchObject({ refusals: [{ code: 'model_not_found' }], route: { name: 'alone' }, targets: [], skipped });
});

test('an endpoint that the proxy has not got is the first refusal', async () => {
  const { data } = await admin.api.ask<{ routeDryRun: Run }>(
    admin.tenant.adminKey,
    'query D($key: ID!) { routeDryRun(apiKeyId: $key, model: "none", endpoint: "/v1/nothing") { refusals { code httpStatus message } } }',
    { key: keyId },
  );
  expect(data?.routeDryRun.refusals).toMatchObject([
    { code: 'endpoint_not_found', httpStatus: 404, message: 'There is no endpoint POST /v1/nothing.' },
    { code: 'model_not_found' },
  ]);
});

test('a model whose provider does not serve the endpoint is told so, and refused', async () => {
  await changeOf(admin.api.database.writer.db, INSTALLATION_ID, (change) =>
    applyProviders(change, {
      owner: 'file',
      providers: [{ name: 'seeker', protocol: 'perplexity', baseUrl: 'https://seeker.invalid', credential: null, options: {} }],
      models: [{ name: 'seeker/sonar', upstreamModel: 'sonar', contextWindow: null, maxOutputTokens: null, price: null }],
      keys: [],
    }),
  );
  const ask = async (endpoint: string) => {
    const { data } = await admin.api.ask<{ routeDryRun: Run }>(
      admin.tenant.adminKey,
      `query D($key: ID!, $endpoint: String!) { routeDryRun(apiKeyId: $key, model: "seeker/sonar", endpoint: $endpoint) {
        refusals { code httpStatus message } targets { servesEndpoint } } }`,
      { key: keyId, endpoint },
    );
    return data?.routeDryRun;
  };
  expect(await ask('/v1/chat/completions')).toEqual({ refusals: [], targets: [{ servesEndpoint: true }] });
  expect(await ask('/v1/embeddings')).toEqual({
    refusals: [
      {
        code: 'endpoint_not_supported',
        httpStatus: 400,
        message: "The model 'seeker/sonar' cannot be asked by /v1/embeddings: its provider 'seeker' does not serve that.",
      },
    ],
    targets: [{ servesEndpoint: false }],
  });
});

test('it takes the permission to read routes, and a model that can be one', async () => {
  const { secret } = await admin.api.makeKey(admin.tenant.organizationId, ['model:read', 'api_key:read']);
  const variables = { key: keyId, model: 'small', request: null };
  expect((await admin.api.ask(secret, question, variables)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  for (const wrong of [{ model: '' }, { model: 'x'.repeat(257) }, { request: 'req_nonsense' }, { key: 'key_nonsense' }]) {
    const { errors } = await admin.api.ask(admin.tenant.adminKey, question, { ...variables, ...wrong });
    expect([wrong, errors?.[0]?.extensions?.code]).toEqual([wrong, 'BAD_USER_INPUT']);
  }
});
