import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { addAlert } from '../../harness/budget-alerts.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { openSse } from '../../harness/graphql-sse.ts';

interface Event {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly alert?: { readonly id: string; readonly seq: string };
}

const subscription = `subscription A($after: Cursor) { budgetAlerts(after: $after) { __typename
  ... on BudgetAlertTold { cursor seq alert { id seq } } ... on StreamHeartbeat { cursor } } }`;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const open = (key: string, after: string | undefined = undefined) => openSse<Event>(api.graphqlUrl, key, subscription, { after });

async function makeBudget(key: string): Promise<string> {
  const { data } = await api.ask<{ budgetCreate: { budget: { id: string } } }>(
    key,
    `mutation { budgetCreate(input: { idempotencyKey: "b", name: "b", enforcement: ENFORCE, limits: [{ unit: USD, amount: "10", window: { kind: MONTH } }] }) { budget { id } } }`,
  );
  return uuidFromId('budget', data?.budgetCreate.budget.id ?? '') ?? '';
}

test('a reader that is cut off again and again is told of every alert once and in order, whatever is booked between', async () => {
  const tenant = await api.makeTenant('resumed');
  const { db } = api.database.writer;
  const budgetId = await makeBudget(tenant.adminKey);
  await sequence(db);
  const start = await open(tenant.adminKey);
  let after = (await eventually(() => start.messages[0])).event.cursor;
  start.hangUp();
  const expected: string[] = [];
  const seen: string[] = [];
  for (let round = 0; round < 5; round++) {
    for (const group of ['one', 'two']) {
      expected.push(idFromUuid('budgetAlert', await addAlert(db, tenant.organizationId, { budgetId, group })));
      await book(db, [usageEntry(tenant.organizationId), usageEntry(tenant.organizationId)]);
    }
    // Some are read live, with the second half of a round booked later; some are made up for from the journal.
    if (round % 2 === 0) await sequence(db);
    if (round === 1) continue;
    const stream = await open(tenant.adminKey, after);
    await sequence(db);
    const told = () => stream.messages.flatMap(({ event }) => (event.alert === undefined ? [] : [event]));
    await eventually(() => seen.length + told().length === expected.length);
    stream.hangUp();
    for (const { alert, cursor, seq } of told()) {
      expect(alert?.seq).toBe(seq);
      seen.push(alert?.id ?? '');
      after = cursor;
    }
  }
  expect(seen).toEqual(expected);
});

test('an alert says of what it is, and the list has the newest first, of one budget or of all', async () => {
  const tenant = await api.makeTenant('listed');
  const { db } = api.database.writer;
  const budgetId = await makeBudget(tenant.adminKey);
  const at = new Date('2026-11-21T20:00:00.000Z');
  const first = await addAlert(db, tenant.organizationId, { budgetId, group: 'one' }, { created_at: at });
  const second = await addAlert(
    db,
    tenant.organizationId,
    { budgetId: tenant.organizationId, group: 'two' },
    { created_at: new Date(at.getTime() + 1), unit: 'tokens', amount: 100n, window_key: '2:lifetime', projected_exhaustion_at: null },
  );
  const fields = `id seq kind threshold unit limitAmount settled held groupKey stateId windowKind windowStartsAt windowEndsAt projectedExhaustionAt at`;
  const list = async (args: string) => {
    const { data, errors } = await api.ask<{ budgetAlerts: { nodes: Record<string, unknown>[] } }>(
      tenant.adminKey,
      `{ budgetAlerts(${args}) { nodes { ${fields} budget { id } } } }`,
    );
    expect(errors).toBeUndefined();
    return data?.budgetAlerts.nodes ?? [];
  };
  const all = await list('first: 5');
  expect(all.map(({ id }) => id)).toEqual([second, first].map((id) => idFromUuid('budgetAlert', id)));
  expect(all[0]).toMatchObject({ unit: 'TOKENS', limitAmount: '100', windowKind: 'LIFETIME', budget: null });
  expect(await list(`first: 5, budgetId: "${idFromUuid('budget', budgetId)}"`)).toEqual([
    {
      id: idFromUuid('budgetAlert', first),
      seq: null,
      kind: 'THRESHOLD',
      threshold: '80.5',
      unit: 'USD',
      limitAmount: '10',
      settled: '9',
      held: '0.25',
      groupKey: '["one"]',
      stateId: expect.stringMatching(/_[0-9a-z]{26}$/),
      windowKind: 'MONTH',
      windowStartsAt: '2026-10-31T23:00:00.000000Z',
      windowEndsAt: '2026-11-30T23:00:00.000000Z',
      projectedExhaustionAt: '2026-11-25T00:00:00.000000Z',
      at: '2026-11-21T20:00:00.000000Z',
      budget: { id: idFromUuid('budget', budgetId) },
    },
  ]);
});

test('who may not read budgets is told of no alert', async () => {
  const tenant = await api.makeTenant('refused');
  const { secret } = await api.makeKey(tenant.organizationId, ['team:read']);
  const stream = await open(secret);
  await stream.ended;
  expect(stream.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
});
