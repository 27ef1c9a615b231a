import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

const graphqlResponse = 'application/graphql-response+json';
const good = JSON.stringify({ query: '{ __typename }' });

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(api.graphqlUrl, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', accept: graphqlResponse, authorization: `Bearer ${tenant.adminKey}`, ...headers },
  });
}

/** reference/graphql.md section 3.1; the draft of August 2026 and the text before it differ, and clients read the body. */
test.each([
  ['data without errors', good, [200]],
  ['data with errors', JSON.stringify({ query: '{ node(id: "key_00000000000000000000000000") { id } }' }), [200, 294]],
  ['a body that is not JSON', '{"query": ', [400]],
  ['a document that cannot be parsed', JSON.stringify({ query: '{' }), [400]],
  ['a missing query', '{}', [400, 422]],
  ['a query that is no string', '{"query":1}', [400, 422]],
  ['a body that is a list', `[${good}]`, [400, 422]],
  ['a body that is no object', '"query"', [400, 422]],
  ['variables that are no map', JSON.stringify({ query: '{ __typename }', variables: [] }), [400, 422]],
  ['a document that is not valid', JSON.stringify({ query: '{ nothing }' }), [400, 422]],
  ['an operation that is not there', JSON.stringify({ query: 'query A { __typename }', operationName: 'B' }), [400, 422]],
  ['an ambiguous operation', JSON.stringify({ query: 'query A { __typename } query B { __typename }' }), [400, 422]],
  ['variables that cannot be coerced', JSON.stringify({ query: 'query Q($id: ID!) { node(id: $id) { id } }', variables: {} }), [400, 422]],
])('%s', async (_what, body, statuses) => {
  const response = await post(body);
  expect(statuses).toContain(response.status);
  expect(response.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json; ?charset=utf-8$/);
  const answer: { data?: unknown; errors?: { message: string }[] } = await response.json();
  expect(Array.isArray(answer.errors)).toBe(response.status !== 200 || 'errors' in answer);
  if (response.status >= 400) expect(answer).not.toHaveProperty('data');
});

test('unknown members are ignored and null members count as absent', async () => {
  const body = JSON.stringify({ query: '{ __typename }', variables: null, operationName: null, extensions: null, other: 1 });
  expect((await post(body)).status).toBe(200);
});

test('a client that takes only application/json gets it, and 200 for every well-formed request', async () => {
  const response = await post(JSON.stringify({ query: '{ nothing }' }), { accept: 'application/json' });
  expect([200, 400, 422]).toContain(response.status);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(await response.json()).toHaveProperty('errors');
});

test('nothing acceptable is 406, and a subscription without a stream too', async () => {
  expect((await post(good, { accept: 'text/plain' })).status).toBe(406);
  expect((await post(JSON.stringify({ query: 'subscription { requestTail(filter: {}) { __typename } }' }))).status).toBe(406);
});

test.each([
  'text/plain',
  'application/graphql',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
])('content type %s is refused: it needs no preflight, or no one asked for it', async (contentType) => {
  expect((await post(good, { 'content-type': contentType })).status).toBe(415);
});

test('a missing content type is refused', async () => {
  const response = await post(new Uint8Array(Buffer.from(good)), { 'content-type': '' });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
});

test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s is not how operations are sent', async (method) => {
  const response = await fetch(`${api.graphqlUrl}?query={__typename}`, { method, headers: { authorization: `Bearer ${tenant.adminKey}` } });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toContain('POST');
});

test('no answer lets another origin read it', async () => {
  const response = await post(good, { origin: 'http://evil.example' });
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  const preflight = await fetch(api.graphqlUrl, {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
});

test('a body beyond 256 KiB is 413, announced or not', async () => {
  const big = JSON.stringify({ query: '{ __typename }', variables: { a: 'x'.repeat(300_000) } });
  expect((await post(big)).status).toBe(413);
  const chunked = await new Promise<number>((resolve, reject) => {
    const request = httpRequest(api.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tenant.adminKey}`, 'transfer-encoding': 'chunked' },
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(413) : reject(error),
    );
    request.end(big);
  });
  expect(chunked).toBe(413);
});

test('headers beyond 16 KiB are 431', async () => {
  expect((await post(good, { 'x-bomb': 'x'.repeat(20_000) })).status).toBe(431);
});

test('without a key, or with a wrong one, there is one answer and no data', async () => {
  const bodies = new Set<string>();
  const { id: _id, secret } = await api.makeKey(tenant.organizationId, ['*']);
  await api.database.writer.db.updateTable('api_keys').set({ revoked_at: new Date() }).where('id', '=', _id).execute();
  for (const authorization of ['', 'Bearer tpk_adm_nope', `Bearer ${secret.slice(0, -1)}x`, `Bearer ${secret}`, `Basic ${secret}`]) {
    const response = await post(good, { authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    bodies.add(await response.text());
  }
  expect(bodies.size).toBe(1);
  const [body = ''] = bodies;
  expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});

test('a model key is told that it is one', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, [], 'ak');
  const { status, errors } = await api.ask(secret, '{ __typename }');
  expect([status, errors?.[0]?.extensions?.code, errors?.[0]?.message]).toEqual([403, 'FORBIDDEN', expect.stringContaining('admin key')]);
});

test('a key without the permission gets FORBIDDEN for that field and data for the others', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, ['team:read']);
  const allowed = await api.ask(secret, '{ teams(first: 1) { nodes { id } } viewer { permissions } }');
  expect(allowed.errors).toBeUndefined();
  const refused = await api.ask(secret, '{ requests(first: 1) { nodes { id } } }');
  expect(refused.errors?.[0]).toMatchObject({ path: ['requests'], extensions: { code: 'FORBIDDEN' } });
  const all = await api.ask(tenant.adminKey, '{ organizations(first: 1) { nodes { id } } }');
  expect(all.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
});

test('what goes wrong inside is masked, with an id to find it by', async () => {
  await using broken = await startTestApi();
  const own = await broken.makeTenant('broken');
  await broken.database.owner.execute('alter table teams rename to teams_gone');
  const { errors } = await broken.ask(own.adminKey, '{ teams(first: 1) { nodes { id } } }');
  expect(errors?.[0]).toMatchObject({
    message: 'Unexpected error.',
    extensions: { code: 'INTERNAL_ERROR', errorId: expect.stringMatching(/^[0-9a-f]{16}$/) },
  });
  expect(JSON.stringify(errors)).not.toContain('teams_gone');
});

test('answers carry a request id, are stored nowhere, and say what is left to spend', async () => {
  const response = await post(good);
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('ratelimit')).toMatch(/^"graphql";r=\d+;t=\d+$/);
  expect(response.headers.get('ratelimit-policy')).toBe('"graphql";q=2000;w=20');
});

test('the explorer is served with everything in it, from here alone, and holds no key', async () => {
  const root = await fetch(api.server.url, { headers: { accept: 'text/html' } });
  expect(root.status).toBe(200);
  const page = await root.text();
  expect(page).toContain('<!doctype html>');
  expect(page).toContain('LatestRequests');
  expect(page).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="(https?:)?\/\//);
  expect(page).not.toMatch(/tpk_(adm|ak)_(live|test)_[0-9A-Za-z]{57}/);
  expect(root.headers.get('content-security-policy')).toContain("connect-src 'self'");
  expect(root.headers.get('referrer-policy')).toBe('no-referrer');
});

test('health, readiness and metrics need no key', async () => {
  for (const [path, status] of [
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 200],
  ] as const) {
    expect([path, (await fetch(api.server.url + path)).status]).toEqual([path, status]);
  }
});
