import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

test('a booked request is in `requests` and by its id', async () => {
  const entry = usageEntry(tenant.organizationId, {}, { reportedCostPico: '5010000000' });
  await book(api.database.writer.db, [entry]);
  await sequence(api.database.writer.db);
  const id = idFromUuid('request', entry.entry_id);
  const list = await api.ask<{ requests: { nodes: { id: string }[] } }>(tenant.adminKey, '{ requests(first: 50) { nodes { id } } }');
  expect(list.errors).toBeUndefined();
  expect(list.data?.requests.nodes.map((node) => node.id)).toContain(id);
  const one = await api.ask(
    tenant.adminKey,
    `query One($id: ID!) { request(id: $id) { id seq outcome cost { amount currency } tokens { total input output cacheRead } duration
      details { attempts { provider duration outcome } decision { reason candidates } reportedCost { amount } } } node(id: $id) { __typename id } }`,
    { id },
  );
  expect(one.errors).toBeUndefined();
  expect(one.data).toMatchObject({
    request: {
      id,
      outcome: 'SUCCEEDED',
      cost: { amount: '0.0000015', currency: 'USD' },
      tokens: { total: '17', input: '12', output: '5', cacheRead: null },
      duration: 'PT0.04S',
      details: {
        attempts: [{ provider: 'sim', outcome: 'SUCCEEDED' }],
        decision: { reason: 'only_candidate' },
        reportedCost: { amount: '0.00501' },
      },
    },
    node: { __typename: 'Request', id },
  });
});
