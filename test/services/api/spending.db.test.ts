import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestApi } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const dear =
  '{ usage(range: { from: "2026-11-01T00:00:00Z", to: "2026-11-20T00:00:00Z" }, interval: HOUR, topN: 50) { totals { requests } } }';

test('who spends faster than the bucket refills is told when to come back, by status, header and body', async () => {
  const tenant = await api.makeTenant('spender');
  const answers = await Promise.all(Array.from({ length: 12 }, () => api.ask(tenant.adminKey, dear)));
  const throttled = answers.filter((answer) => answer.status === 429);
  expect(throttled.length).toBeGreaterThan(0);
  expect(throttled.length).toBeLessThan(12);
  for (const answer of throttled) {
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'THROTTLED', retryAfterMs: expect.any(Number) });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  const other = await api.makeTenant('saver');
  expect((await api.ask(other.adminKey, dear)).status).toBe(200);
});

test('what an operation did not use is given back, and the answer says both', async () => {
  const tenant = await api.makeTenant('refunded');
  await book(api.database.writer.db, [usageEntry(tenant.organizationId)]);
  const answer = await api.ask(tenant.adminKey, '{ requests(first: 100) { nodes { id } } }');
  expect(answer.extensions?.cost).toMatchObject({
    requestedQueryCost: 101,
    actualQueryCost: 2,
    throttleStatus: { maximumAvailable: 2_000, restoreRate: 100 },
  });
  for (let time = 0; time < 30; time++)
    expect((await api.ask(tenant.adminKey, '{ requests(first: 100) { nodes { id } } }')).status).toBe(200);
});

test('an operation beyond 1,000 points is refused before it is carried out, by variables too', async () => {
  const tenant = await api.makeTenant('greedy');
  const query =
    'query Q($n: Int!) { requests(first: $n) { nodes { apiKey { team { id } } details { attempts { provider } decision { reason } } } } apiKeys(first: $n) { nodes { secrets { display } team { id } } } ledger(first: $n) { nodes { apiKey { id } } } }';
  expect((await api.ask(tenant.adminKey, query, { n: 10 })).status).toBe(200);
  const refused = await api.ask(tenant.adminKey, query, { n: 100 });
  expect([refused.status, refused.errors?.[0]?.extensions?.code]).toEqual([400, 'OPERATION_TOO_EXPENSIVE']);
});

test('a dry run says what it would cost, is not charged and carries nothing out', async () => {
  const tenant = await api.makeTenant('dry');
  const answer = await api.ask<{ rateLimit: { cost: number; remaining: number }; requests?: unknown }>(
    tenant.adminKey,
    '{ rateLimit(dryRun: true) { cost nodeCount remaining } requests(first: 100) { nodes { id } } }',
  );
  expect(answer.data).toEqual({ rateLimit: { cost: 102, nodeCount: 100, remaining: 2_000 } });
});

test('a page of requests with everything beside it takes the same few statements, however long it is', async () => {
  const tenant = await api.makeTenant('budget');
  const keys = await Promise.all(Array.from({ length: 12 }, () => api.makeKey(tenant.organizationId, [], 'ak')));
  await book(
    api.database.writer.db,
    keys.map(({ id }) => usageEntry(tenant.organizationId, { api_key_id: id })),
  );
  const query =
    'query Q($n: Int!) { requests(first: $n) { nodes { id seq apiKey { name secrets { display } team { name } } details { attempts { provider } } } } }';
  const readsOf = async (n: number): Promise<number> => {
    const before = api.reads();
    const answer = await api.ask(tenant.adminKey, query, { n });
    expect(answer.errors).toBeUndefined();
    return api.reads() - before;
  };
  expect(await readsOf(1)).toBeLessThanOrEqual(5);
  expect(await readsOf(12)).toBe(await readsOf(1));
});
