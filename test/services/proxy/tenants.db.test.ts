import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import type { Change } from '../../../services/registry/change.ts';
import { applyProviders } from '../../../services/registry/configuration/apply-providers.ts';
import { archiveCredential, createCredential, rotateCredential } from '../../../services/registry/credentials.ts';
import { setModelPrice } from '../../../services/registry/model-prices.ts';
import { createModel } from '../../../services/registry/models.ts';
import { createProvider } from '../../../services/registry/providers.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import type { RouteTargetInput } from '../../../services/registry/routes.ts';
import { archiveRoute, createRoute } from '../../../services/registry/routes.ts';
import { createServiceAccount } from '../../../services/registry/service-accounts.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy } from '../../harness/proxy.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const price = (input: string) => {
  const sheet = sheetFromPerMillion({ input, output: input });
  return { version: priceVersion(sheet), sheet, source: 'contract' };
};
const messages = [{ role: 'user', content: 'hello' }];

let database: TestDatabase;
let db: Kysely<Database>;
let upstream: ScriptedUpstream;
let proxy: TestProxy;
let shared: string;
beforeEach(async () => {
  database = await createTestDatabase();
  db = database.writer.db;
  upstream = await startScriptedUpstream();
  proxy = await startProxy({ providers: {}, models: [], credentials: { SHARED_KEY: 'sk-of-the-installation' } });
  const installer = await makeOrganization(db, 'installer');
  await changeOf(db, installer, (change) =>
    applyProviders(change, {
      owner: 'file',
      providers: [{ name: 'shared', protocol: 'openai', baseUrl: `${upstream.baseUrl}`, credential: { env: 'SHARED_KEY' }, options: {} }],
      models: [{ name: 'shared/small', upstreamModel: 'small', contextWindow: null, maxOutputTokens: null, price: price('1') }],
      keys: [],
    }),
  );
  shared = (await db.selectFrom('models').select('id').executeTakeFirstOrThrow()).id;
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** An organization with a key, and what it does through the proxy. */
async function makeTenant(slug: string, allowedModels: readonly string[] | null = null) {
  const organizationId = await makeOrganization(db, slug);
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const makeKey = async (fields: Partial<Parameters<typeof createApiKey>[1]> = {}) => {
    const settings = { name: slug, teamId: null, allowedModels, tags: {}, metadata: {}, expiresAt: null, permissions: [] };
    return (await change((each) => createApiKey(each, { ...settings, kind: 'ak', environment: 'test', ...fields }, testSecrets))).secret;
  };
  const key = await makeKey();
  const authorized = { headers: { authorization: `Bearer ${key}` } };
  const makeProvider = async (name: string) =>
    (await change((each) => createProvider(each, { name, protocol: 'openai', baseUrl: `${upstream.baseUrl}/${slug}`, options: {} })))
      .provider.id;
  const makeModel = async (providerId: string, name: string, usd: string | null) =>
    (
      await change((each) =>
        createModel(each, {
          providerId,
          name,
          upstreamModel: null,
          contextWindow: null,
          maxOutputTokens: null,
          price: usd === null ? null : price(usd),
        }),
      )
    ).model.id;
  const makeCredential = async (providerId: string, name: string, secret: string) =>
    (await change((each) => createCredential(each, { providerId, name, secret }, testSecrets))).credential.id;
  const makeRoute = async (name: string, targets: readonly RouteTargetInput[]) =>
    (await change((each) => createRoute(each, { name, strategy: targets.length === 1 ? 'single' : 'weighted', targets }))).route.id;
  const ask = async (model: string, init: RequestInit = authorized) => {
    const response = await proxy.chat({ model, messages }, init);
    const text = await response.text();
    return {
      status: response.status,
      requestId: response.headers.get('x-request-id'),
      text,
      code: /"code":"(\w+)"/.exec(text)?.[1] ?? null,
    };
  };
  const askFor = async (model: string) => {
    const { requestId, status } = await ask(model);
    expect(status).toBe(200);
    return proxy.eventOf(requestId);
  };
  const listed = async () => {
    const list = JSON.parse(await (await proxy.get('/v1/models', authorized)).text()) as { data: { id: string }[] };
    return list.data.map(({ id }) => id).sort();
  };
  return { change, key, makeKey, makeProvider, makeModel, makeCredential, makeRoute, ask, askFor, listed };
}

/** Lets the proxy see the registry as it is now. */
async function publish(): Promise<void> {
  const snapshot = await readSnapshot(db);
  proxy.snapshot = snapshot;
  const path = join(proxy.home, 'snapshot.json');
  await eventually(async () => {
    const kept: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof kept === 'object' && kept !== null && 'revision' in kept && kept.revision === snapshot.revision;
  });
}

const sentKeys = () => upstream.requests.map(({ headers }) => headers.authorization);

test("another organization's models, routes and names do not exist for a tenant", async () => {
  const [first, second] = [await makeTenant('first'), await makeTenant('second')];
  const own = await first.makeModel(await first.makeProvider('acme'), 'secret-model', '3');
  await first.makeRoute('chat', [{ modelId: own, weight: 1, credentialId: null }]);
  await publish();

  expect(await first.listed()).toEqual(['acme/secret-model', 'route/chat', 'shared/small']);
  expect(await second.listed()).toEqual(['shared/small']);
  for (const name of ['acme/secret-model', 'secret-model', 'chat', 'route/chat']) {
    expect([name, (await first.ask(name)).status]).toEqual([name, 200]);
    const refused = await second.ask(name);
    expect([name, refused.status, refused.code]).toEqual([name, 404, 'model_not_found']);
    const unknown = await second.ask('nothing');
    // Word for word what is said of a name nobody has.
    expect(refused.text.replaceAll(name, 'nothing').replace(/req_\w+/g, '')).toBe(unknown.text.replace(/req_\w+/g, ''));
    const looked = await proxy.get(`/v1/models/${name}`, { headers: { authorization: `Bearer ${second.key}` } });
    expect(looked.status).toBe(404);
  }
});

test('two organizations with the same names each reach their own provider, under their own credential, at their own price', async () => {
  const tenants = [await makeTenant('first'), await makeTenant('second')];
  for (const [index, tenant] of tenants.entries()) {
    const provider = await tenant.makeProvider('acme');
    await tenant.makeModel(provider, 'large', `${index + 3}`);
    await tenant.makeCredential(provider, 'main', `sk-of-tenant-number-${index}`);
  }
  await publish();
  for (const [index, tenant] of tenants.entries()) {
    const event = await tenant.askFor('large');
    expect(event).toMatchObject({ model: 'acme/large', priceVersion: price(`${index + 3}`).version });
    expect(upstream.requests.at(-1)?.path).toContain(index === 0 ? '/first/' : '/second/');
    expect(sentKeys().at(-1)).toBe(`Bearer sk-of-tenant-number-${index}`);
  }
});

test("a negotiated price rates its organization's requests and nobody else's, from its time until it is ended", async () => {
  const [first, second] = [await makeTenant('first'), await makeTenant('second')];
  await first.change((each) => setModelPrice(each, { modelId: shared, price: price('0.5'), validFrom: null }));
  await first.change((each) => setModelPrice(each, { modelId: shared, price: price('7'), validFrom: new Date(Date.now() + 3_600_000) }));
  await publish();
  // 15 tokens, at USD a million: a pico-USD is a millionth of a millionth.
  expect(await first.askFor('shared/small')).toMatchObject({ costPico: '7500000', priceVersion: price('0.5').version });
  expect(await second.askFor('shared/small')).toMatchObject({ costPico: '15000000', priceVersion: price('1').version });
  await first.change((each) => setModelPrice(each, { modelId: shared, price: null, validFrom: null }));
  await publish();
  expect(await first.askFor('shared/small')).toMatchObject({ costPico: '15000000', priceVersion: price('1').version });
});

test('an own model without a price is unrated, never free', async () => {
  const tenant = await makeTenant('first');
  await tenant.makeModel(await tenant.makeProvider('acme'), 'large', null);
  await publish();
  expect(await tenant.askFor('acme/large')).toMatchObject({ costPico: null, priceVersion: null, unrated: expect.any(String) });
});

test('an organization may bring its own key to a shared provider, and others go on under the installation’s', async () => {
  const [first, second] = [await makeTenant('first'), await makeTenant('second')];
  const { id: provider } = await db.selectFrom('providers').select('id').executeTakeFirstOrThrow();
  const older = await first.makeCredential(provider, 'older', 'sk-older-0123456789');
  await first.makeCredential(provider, 'newer', 'sk-newer-0123456789');
  await publish();
  await first.askFor('shared/small');
  await second.askFor('shared/small');
  expect(sentKeys()).toEqual(['Bearer sk-older-0123456789', 'Bearer sk-of-the-installation']);
  await first.change((each) => rotateCredential(each, { id: older, expectedVersion: 1, secret: 'sk-rotated-0123456789' }, testSecrets));
  await publish();
  await first.askFor('shared/small');
  await first.change((each) => archiveCredential(each, { id: older, expectedVersion: 2 }));
  await publish();
  await first.askFor('shared/small');
  expect(sentKeys().slice(2)).toEqual(['Bearer sk-rotated-0123456789', 'Bearer sk-newer-0123456789']);
});

test('a weighted route spreads by weight, says in the event where it could have gone, and uses the credential a target names', async () => {
  const tenant = await makeTenant('first');
  const provider = await tenant.makeProvider('acme');
  await tenant.makeCredential(provider, 'main', 'sk-main-0123456789');
  const special = await tenant.makeCredential(provider, 'special', 'sk-special-0123456789');
  const large = await tenant.makeModel(provider, 'large', '3');
  const id = await tenant.makeRoute('chat', [
    { modelId: large, weight: 3, credentialId: special },
    { modelId: shared, weight: 1, credentialId: null },
  ]);
  await publish();
  const events = [];
  for (let index = 0; index < 60; index++) events.push(await tenant.askFor(index % 2 === 0 ? 'chat' : 'route/chat'));
  const route = (await readSnapshot(db)).routes[0]?.id;
  for (const event of events) {
    expect(event).toMatchObject({ routeId: route, decision: { reason: 'route_weighted', candidates: ['acme/large', 'shared/small'] } });
    expect(event.modelRequested).toMatch(/chat$/);
  }
  const toLarge = events.filter(({ model }) => model === 'acme/large').length;
  // 45 expected; beyond 25 and 59 lie fewer than one run in a million.
  expect(toLarge).toBeGreaterThan(25);
  expect(toLarge).toBeLessThan(60);
  expect(sentKeys().filter((sent) => sent === 'Bearer sk-special-0123456789').length).toBe(toLarge);
  expect(sentKeys().filter((sent) => sent === 'Bearer sk-of-the-installation').length).toBe(60 - toLarge);

  await tenant.askFor('acme/large');
  expect(sentKeys().at(-1)).toBe('Bearer sk-main-0123456789');
  await tenant.change((each) => archiveRoute(each, { id, expectedVersion: 1 }));
  await publish();
  expect(await tenant.ask('chat')).toMatchObject({ status: 404, code: 'model_not_found' });
});

test('a key may use a route by its name or by all routes, and models do not stand for it', async () => {
  const tenant = await makeTenant('first');
  await tenant.makeRoute('chat', [{ modelId: shared, weight: 1, credentialId: null }]);
  const statusWith = async (allowedModels: readonly string[], model: string) => {
    const key = await tenant.makeKey({ allowedModels });
    await publish();
    return (await tenant.ask(model, { headers: { authorization: `Bearer ${key}` } })).status;
  };
  expect(await statusWith(['route/chat'], 'chat')).toBe(200);
  expect(await statusWith(['route/*'], 'route/chat')).toBe(200);
  expect(await statusWith(['shared/*'], 'chat')).toBe(403);
  expect(await statusWith(['route/other'], 'route/chat')).toBe(403);
  expect(await statusWith(['route/chat'], 'shared/small')).toBe(403);
});

test('a credential that was altered is refused and named; neither its secret nor any other is in the log or on disk', async () => {
  const tenant = await makeTenant('first');
  const provider = await tenant.makeProvider('acme');
  await tenant.makeModel(provider, 'large', '3');
  const secret = 'sk-very-secret-0123456789';
  await tenant.makeCredential(provider, 'main', secret);
  await publish();
  await tenant.askFor('acme/large');
  const kept = await readFile(join(proxy.home, 'snapshot.json'), 'utf8');
  const { sealed } = await db.selectFrom('provider_credentials').select('sealed').executeTakeFirstOrThrow();
  sealed.writeUInt8(sealed.readUInt8(20) ^ 1, 20);
  await db.updateTable('provider_credentials').set({ sealed }).execute();
  await tenant.makeKey();
  await publish();
  const calls = upstream.requests.length;
  expect(await tenant.ask('acme/large')).toMatchObject({ status: 502, code: 'upstream_credentials_rejected' });
  expect(upstream.requests.length).toBe(calls);
  const log = proxy.logLines.join('\n');
  const [credential] = (await readSnapshot(db)).credentials;
  expect(log).toContain(credential?.id);
  for (const text of [
    log,
    kept,
    JSON.stringify(proxy.events, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
  ]) {
    for (const spelled of [secret, Buffer.from(secret).toString('base64url'), 'very-secret', 'sk-of-the-installation']) {
      expect(text.includes(spelled)).toBe(false);
    }
  }
});

test('a snapshot kept on disk serves sealed credentials without the registry', async () => {
  const tenant = await makeTenant('first');
  const provider = await tenant.makeProvider('acme');
  await tenant.makeModel(provider, 'large', '3');
  await tenant.makeCredential(provider, 'main', 'sk-kept-0123456789');
  await publish();
  await proxy.stop();
  await using restarted = await startProxy({ providers: {}, models: [], home: proxy.home, registryAway: true });
  const response = await restarted.chat({ model: 'acme/large', messages }, { headers: { authorization: `Bearer ${tenant.key}` } });
  expect(response.status).toBe(200);
  expect(sentKeys()).toEqual(['Bearer sk-kept-0123456789']);
});

test("a service account's key tells whose it is in the event", async () => {
  const tenant = await makeTenant('first');
  const { serviceAccount } = await tenant.change((each) => createServiceAccount(each, { name: 'batch' }));
  const key = await tenant.makeKey({ kind: 'sa', serviceAccountId: serviceAccount.id });
  await publish();
  const { status, requestId } = await tenant.ask('shared/small', { headers: { authorization: `Bearer ${key}` } });
  expect(status).toBe(200);
  expect((await proxy.eventOf(requestId)).serviceAccountId).toMatch(/^svc_/);
});
