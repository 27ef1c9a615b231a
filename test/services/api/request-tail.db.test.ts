import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { openSse } from '../../harness/graphql-sse.ts';
import { median } from '../../harness/median.ts';

interface Event {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly reason?: string;
  readonly resumeAfter?: string | null;
  readonly request?: { readonly id: string };
}

const tail = `subscription Tail($filter: RequestFilter!, $after: Cursor) { requestTail(filter: $filter, after: $after) { __typename
  ... on RequestBooked { cursor seq request { id } } ... on StreamHeartbeat { cursor } ... on StreamGap { reason } ... on StreamEnd { reason resumeAfter } } }`;

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

const open = (key: string, variables: Record<string, unknown> = {}) =>
  openSse<Event>(api.graphqlUrl, key, tail, { filter: {}, ...variables });

test('what is booked is seen within a second', async () => {
  const { db } = api.database.writer;
  const stream = await open(tenant.adminKey);
  await eventually(() => stream.messages.length > 0);
  expect(stream.messages[0]?.event.__typename).toBe('StreamHeartbeat');
  const seenAfterMs: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const entry = usageEntry(tenant.organizationId);
    await book(db, [entry]);
    const bookedAtMs = performance.now();
    await sequence(db);
    const id = idFromUuid('request', entry.entry_id);
    seenAfterMs.push((await eventually(() => stream.messages.find(({ event }) => event.request?.id === id))).atMs - bookedAtMs);
  }
  expect(median(seenAfterMs)).toBeLessThan(1_000);
  expect(stream.messages.slice(1).map(({ event }) => event.__typename)).toEqual(seenAfterMs.map(() => 'RequestBooked'));
  stream.hangUp();
});

test('a revoked key gets nothing any more within a second, and is told why', async () => {
  const endedAfterMs: number[] = [];
  for (let key = 0; key < 3; key++) {
    const { id, secret } = await api.makeKey(tenant.organizationId, ['request:read']);
    const stream = await open(secret);
    await eventually(() => stream.messages.length > 0);
    const { data, errors } = await api.ask<{ apiKeyRevoke: { errors: unknown[]; apiKey: { status: string } } }>(
      tenant.adminKey,
      `mutation Revoke($id: ID!) { apiKeyRevoke(input: { idempotencyKey: "revoke-${key}", id: $id, reason: "test" }) { errors { code } apiKey { status } } }`,
      { id: idFromUuid('apiKey', id) },
    );
    expect(errors).toBeUndefined();
    expect(data?.apiKeyRevoke).toEqual({ errors: [], apiKey: { status: 'REVOKED' } });
    const revokedAtMs = performance.now();
    const end = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'StreamEnd'));
    endedAfterMs.push(end.atMs - revokedAtMs);
    expect(end.event.reason).toBe('AUTH_REVOKED');
    await stream.ended;
    expect(stream.completed()).toBe(true);
    expect((await api.ask(secret, '{ viewer { permissions } }')).status).toBe(401);
  }
  expect(median(endedAfterMs)).toBeLessThan(1_000);
});

test('a key that loses the permission loses the stream', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, ['request:read']);
  const stream = await open(secret);
  await eventually(() => stream.messages.length > 0);
  const { db } = api.database.writer;
  await db
    .updateTable('api_keys')
    .set({ permissions: ['team:read'] })
    .where('id', '=', id)
    .execute();
  await db.updateTable('registry_revision').set({ revision: sql<bigint>`revision + 1` }).execute();
  const end = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'StreamEnd'));
  expect(end.event.reason).toBe('AUTH_REVOKED');
});

test('what is booked is seen within two seconds also where every wake-up is lost', async () => {
  const { db } = api.database.writer;
  const stream = await open(tenant.adminKey);
  await eventually(() => stream.messages.length > 0);
  const seenAfterMs: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const entry = usageEntry(tenant.organizationId);
    await book(db, [entry]);
    await sequence(db, { wakeReaders: false });
    const sequencedAtMs = performance.now();
    const id = idFromUuid('request', entry.entry_id);
    const seen = await eventually(() => stream.messages.find(({ event }) => event.request?.id === id));
    seenAfterMs.push(seen.atMs - sequencedAtMs);
  }
  expect(median(seenAfterMs)).toBeLessThan(2_000);
  stream.hangUp();
});

test('a server that stops ends its streams in order, with a cursor to come back with', async () => {
  await using stopping = await startTestApi();
  const own = await stopping.makeTenant('stopping');
  const stream = await openSse<Event>(stopping.graphqlUrl, own.adminKey, tail, { filter: {} });
  await eventually(() => stream.messages.length > 0);
  const startedMs = performance.now();
  await stopping.server.stop(new AbortController().signal);
  // It waits for nobody: a reader that stays would be there for ever.
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  await stream.ended;
  expect(stream.completed()).toBe(true);
  expect(stream.messages.at(-1)?.event).toMatchObject({ __typename: 'StreamEnd', reason: 'SERVER_DRAIN', resumeAfter: expect.any(String) });
});

test('a reader that does not read holds nothing back and is given everything it can still have', async () => {
  const { db } = api.database.writer;
  const own = await api.makeTenant('slow-reader');
  const leaving = new AbortController();
  const response = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${own.adminKey}` },
    body: JSON.stringify({ query: tail, variables: { filter: {} } }),
    signal: leaving.signal,
  });
  const quick = await open(own.adminKey);
  await eventually(() => quick.messages.length > 0);
  for (let batch = 0; batch < 5; batch++) {
    await book(
      db,
      Array.from({ length: 600 }, () => usageEntry(own.organizationId)),
    );
    await sequence(db);
  }
  await eventually(() => quick.messages.filter(({ event }) => event.request !== undefined).length === 3_000);
  quick.hangUp();
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.split('"RequestBooked"').length > 3_000) break;
  }
  leaving.abort();
  expect(text.split('"RequestBooked"').length - 1).toBe(3_000);
  expect(text).not.toContain('StreamGap');
});
