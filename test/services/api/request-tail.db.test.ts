import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { openSse } from '../../harness/graphql-sse.ts';

interface Event {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly reason?: string;
  readonly request?: { readonly id: string };
}

const tail = `subscription Tail($filter: RequestFilter!, $after: Cursor) { requestTail(filter: $filter, after: $after) { __typename
  ... on RequestBooked { cursor seq request { id } } ... on StreamHeartbeat { cursor } ... on StreamGap { reason } ... on StreamEnd { reason } } }`;

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
  await eventually(() => stream.messages.length > 0, 2_000);
  expect(stream.messages[0]?.event.__typename).toBe('StreamHeartbeat');
  const entry = usageEntry(tenant.organizationId);
  await book(db, [entry]);
  const bookedAtMs = performance.now();
  await sequence(db);
  const seen = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'RequestBooked'), 2_000);
  expect(seen.event.request?.id).toBe(idFromUuid('request', entry.entry_id));
  expect(seen.atMs - bookedAtMs).toBeLessThan(1_000);
  stream.hangUp();
});

test('a revoked key gets nothing any more within a second, and is told why', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, ['request:read']);
  const stream = await open(secret);
  await eventually(() => stream.messages.length > 0, 2_000);
  const { data, errors } = await api.ask<{ apiKeyRevoke: { errors: unknown[]; apiKey: { status: string } } }>(
    tenant.adminKey,
    `mutation Revoke($id: ID!) { apiKeyRevoke(input: { idempotencyKey: "revoke-1", id: $id, reason: "test" }) { errors { code } apiKey { status } } }`,
    { id: idFromUuid('apiKey', id) },
  );
  expect(errors).toBeUndefined();
  expect(data?.apiKeyRevoke).toEqual({ errors: [], apiKey: { status: 'REVOKED' } });
  const revokedAtMs = performance.now();
  const end = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'StreamEnd'), 2_000);
  expect(end.event.reason).toBe('AUTH_REVOKED');
  expect(end.atMs - revokedAtMs).toBeLessThan(1_000);
  await stream.ended;
  expect(stream.completed()).toBe(true);
  expect((await api.ask(secret, '{ viewer { permissions } }')).status).toBe(401);
});
