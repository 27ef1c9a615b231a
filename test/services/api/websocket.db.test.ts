import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { openSocket } from '../../harness/graphql-socket.ts';
import { median } from '../../harness/median.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

const tail = 'subscription { requestTail(filter: {}) { __typename ... on RequestBooked { request { id } } ... on StreamEnd { reason } } }';
const open = (key: string | null = tenant.adminKey) => openSocket(api.graphqlUrl, key);

test('a stream runs over a socket, and `complete` ends it without closing the socket', async () => {
  const socket = await open();
  socket.send({ id: '1', type: 'subscribe', payload: { query: tail } });
  await socket.frame('next', '1');
  const entry = usageEntry(tenant.organizationId);
  await book(api.database.writer.db, [entry]);
  await sequence(api.database.writer.db);
  const id = idFromUuid('request', entry.entry_id);
  await eventually(() => socket.frames.some((frame) => JSON.stringify(frame).includes(id)));
  socket.send({ id: '1', type: 'complete' });
  for (const next of ['2', '1']) {
    socket.send({ id: next, type: 'subscribe', payload: { query: tail } });
    await eventually(() => socket.frames.at(-1)?.id === next);
  }
  expect(socket.closed()).toBeNull();
  socket.close();
});

test.each([
  ['a syntax error', 'subscription {'],
  ['a validation error', 'subscription { nothing }'],
  ['a document beyond the limits', `subscription { requestTail(filter: {}) { ${'a: __typename '.repeat(31)} } }`],
  ['a query', '{ viewer { permissions } }'],
  ['a mutation', 'mutation { teamCreate(input: { idempotencyKey: "x", name: "x" }) { replayed } }'],
])('%s gets an `error` frame and leaves the socket and its streams open', async (_what, query) => {
  const socket = await open();
  socket.send({ id: 'live', type: 'subscribe', payload: { query: tail } });
  await socket.frame('next', 'live');
  socket.send({ id: 'bad', type: 'subscribe', payload: { query } });
  const error = await socket.frame('error', 'bad');
  expect(Array.isArray(error.payload)).toBe(true);
  await book(api.database.writer.db, [usageEntry(tenant.organizationId)]);
  await sequence(api.database.writer.db);
  await eventually(() => socket.frames.some((frame) => frame.id === 'live' && JSON.stringify(frame).includes('RequestBooked')));
  expect(socket.frames.some((frame) => frame.id === 'bad' && frame.type === 'complete')).toBe(false);
  expect(socket.closed()).toBeNull();
  socket.close();
});

test('an id is free again as soon as the client has completed it', async () => {
  const socket = await open();
  for (let time = 0; time < 5; time++) {
    socket.send({ id: 'again', type: 'subscribe', payload: { query: tail } });
    if (time < 4) socket.send({ id: 'again', type: 'complete' });
  }
  await socket.frame('next', 'again');
  const entry = usageEntry(tenant.organizationId);
  await book(api.database.writer.db, [entry]);
  await sequence(api.database.writer.db);
  const id = idFromUuid('request', entry.entry_id);
  await eventually(() => socket.frames.some((frame) => JSON.stringify(frame).includes(id)));
  expect(socket.frames.filter((frame) => JSON.stringify(frame).includes(id))).toHaveLength(1);
  expect(socket.frames.some((frame) => frame.type === 'complete')).toBe(false);
  expect(socket.closed()).toBeNull();
  socket.close();
  await eventually(() => api.server.followed() === 0);
});

test('ping is answered with pong, before and after the init', async () => {
  const socket = await open(null);
  socket.send({ type: 'ping' });
  await socket.frame('pong');
  socket.close();
});

test.each([
  ['an invalid message', 4400, (socket: Awaited<ReturnType<typeof open>>) => socket.sendText('{')],
  [
    'a subscribe before the acknowledgement',
    4401,
    (socket: Awaited<ReturnType<typeof open>>) => socket.send({ id: '1', type: 'subscribe', payload: { query: tail } }),
  ],
  ['no init in time', 4408, () => {}],
  ['a frame beyond 64 KiB', 1009, (socket: Awaited<ReturnType<typeof open>>) => socket.sendText('x'.repeat(70_000))],
  [
    'more than 30 frames a second',
    1008,
    (socket: Awaited<ReturnType<typeof open>>) => Array.from({ length: 200 }, () => socket.send({ type: 'pong' })),
  ],
])('%s closes the socket with %i', async (_what, code, misbehave) => {
  const socket = await open(null);
  misbehave(socket);
  expect((await eventually(() => socket.closed())).code).toBe(code);
});

test('an id in use closes with 4409, a second init with 4429', async () => {
  const twice = await open();
  for (let time = 0; time < 2; time++) twice.send({ id: '1', type: 'subscribe', payload: { query: tail } });
  expect((await eventually(() => twice.closed())).code).toBe(4409);
  const again = await open();
  again.send({ type: 'connection_init' });
  expect((await eventually(() => again.closed())).code).toBe(4429);
});

test('a wrong key and a model key close with 4401, which a client takes as final', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, [], 'ak');
  for (const key of ['tpk_adm_nope', secret]) {
    const socket = await open(null);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    expect((await eventually(() => socket.closed())).code).toBe(4401);
  }
});

test('a revoked key gets StreamEnd, then 4401, within a second', async () => {
  const closedAfterMs: number[] = [];
  for (let key = 0; key < 3; key++) {
    const { id, secret } = await api.makeKey(tenant.organizationId, ['request:read']);
    const socket = await open(secret);
    socket.send({ id: '1', type: 'subscribe', payload: { query: tail } });
    await socket.frame('next', '1');
    const revoke = 'mutation R($key: String!, $id: ID!) { apiKeyRevoke(input: { idempotencyKey: $key, id: $id }) { replayed } }';
    await api.ask(tenant.adminKey, revoke, { key: `revoke ${key}`, id: idFromUuid('apiKey', id) });
    const revokedAtMs = performance.now();
    const closed = await eventually(() => socket.closed());
    closedAfterMs.push(performance.now() - revokedAtMs);
    expect(closed.code).toBe(4401);
    expect(socket.frames.at(-2)).toMatchObject({ type: 'next', payload: { data: { requestTail: { reason: 'AUTH_REVOKED' } } } });
    expect(socket.frames.at(-1)).toMatchObject({ type: 'complete' });
  }
  expect(median(closedAfterMs)).toBeLessThan(1_000);
});

test('a 21st operation is refused, the other twenty go on', async () => {
  const socket = await open();
  for (let id = 1; id <= 20; id++) socket.send({ id: String(id), type: 'subscribe', payload: { query: tail } });
  await socket.frame('next', '20');
  socket.send({ id: '21', type: 'subscribe', payload: { query: tail } });
  const refusal = await socket.frame('error', '21');
  expect(JSON.stringify(refusal.payload)).toContain('TOO_MANY_OPERATIONS');
  expect(socket.closed()).toBeNull();
  socket.close();
});

test('a page of another origin gets no socket, one of our own and a program do', async () => {
  const upgrade = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(api.graphqlUrl, {
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-protocol': 'graphql-transport-ws',
          ...headers,
        },
      });
      request.on('response', (response) => resolve(response.statusCode));
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });
  expect(await upgrade({ origin: 'http://evil.example' })).toBe(403);
  expect(await upgrade({ origin: `${api.server.url}.evil.example` })).toBe(403);
  expect(await upgrade({ origin: api.server.url })).toBe(101);
  expect(await upgrade({})).toBe(101);
});

test('a key that expires gets StreamEnd, then 4403, after which a client may come back', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, ['request:read']);
  const socket = await open(secret);
  socket.send({ id: '1', type: 'subscribe', payload: { query: tail } });
  await socket.frame('next', '1');
  await api.database.writer.db
    .updateTable('api_keys')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('id', '=', id)
    .execute();
  // Nobody bumped the revision, as when time alone passes: it is noticed at the next look, every 5 s.
  expect((await eventually(() => socket.closed())).code).toBe(4403);
  expect(JSON.stringify(socket.frames)).toContain('TOKEN_EXPIRED');
});

test('a server that stops says StreamEnd and closes with 1012', async () => {
  await using stopping = await startTestApi();
  const own = await stopping.makeTenant('stopping');
  const socket = await openSocket(stopping.graphqlUrl, own.adminKey);
  socket.send({ id: '1', type: 'subscribe', payload: { query: tail } });
  await socket.frame('next', '1');
  const idle = await openSocket(stopping.graphqlUrl, own.adminKey);
  await stopping.server.stop(new AbortController().signal);
  expect((await eventually(() => socket.closed())).code).toBe(1012);
  expect((await eventually(() => idle.closed())).code).toBe(1012);
  expect(JSON.stringify(socket.frames)).toContain('SERVER_DRAIN');
});
