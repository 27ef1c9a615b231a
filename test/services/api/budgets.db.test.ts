import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema, printSdl } from '../../../schema/graphql/schema.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { readRevision } from '../../../services/registry/read-snapshot.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { counterState, leaseFunctions, testId } from '../../leases/sql/lease-functions.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

interface Payload {
  readonly budget: Record<string, unknown> & { readonly id: string; readonly version: number };
  readonly auditEventId: string | null;
  readonly errors: { readonly __typename: string; readonly code: string; readonly path: string[] }[];
}

const fields = `auditEventId budget { id version name isActive selector { dimension tagKey in } groupBy { dimension tagKey }
  limits { unit amount window { kind zone anchor length } } thresholds enforcement downgradeTo onUnpricedModel
  fallbackPrice { input output } archivedAt } errors { __typename code path }`;

async function change(
  name: 'budgetCreate' | 'budgetUpdate' | 'budgetRaise' | 'budgetReset' | 'budgetTopUp' | 'budgetArchive',
  input: Record<string, unknown>,
): Promise<Payload> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation M($input: ${type}!) { ${name}(input: $input) { ${fields} } }`;
  const { data, errors } = await api.ask<Record<string, Payload>>(tenant.adminKey, query, { input });
  expect(errors).toBeUndefined();
  const payload = data?.[name];
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

let made = 0;
const create = (input: Record<string, unknown>) => {
  made += 1;
  return change('budgetCreate', { idempotencyKey: `budget-${made}`, name: `Budget ${made}`, enforcement: 'ENFORCE', ...input });
};
const usd = (amount: string) => ({ unit: 'USD', amount, window: { kind: 'MONTH', zone: 'Europe/Berlin' } });

test('the schema says which enforcement does something, and a budget says whether anything is done by it', async () => {
  expect(printSdl(createSchema())).toMatch(
    /ENFORCE refuses what there is no room for\. AUDIT and NOTIFY refuse nothing.*DOWNGRADE holds as ENFORCE does/s,
  );
  const active = async (enforcement: string) => (await create({ enforcement, limits: [usd('1')] })).budget.isActive;
  expect([await active('ENFORCE'), await active('AUDIT'), await active('NOTIFY')]).toEqual([true, true, true]);
});

test('a budget is shown as it was defined, exactly', async () => {
  const { budget, errors } = await create({
    name: 'Everything',
    selector: [
      { dimension: 'MODEL', in: ['acme/large', 'acme/*', 'acme/large'] },
      { dimension: 'TAG', tagKey: 'app', in: ['shop'] },
    ],
    groupBy: [{ dimension: 'END_USER' }, { dimension: 'TAG', tagKey: 'feature' }],
    limits: [
      { unit: 'USD', amount: '123456789.000000000001', window: { kind: 'MONTH', zone: 'Europe/Berlin', anchor: '2001-01-15T06:00:00' } },
      { unit: 'TOKENS', amount: '90071992547409930', window: { kind: 'ROLLING', length: 'P7D' } },
      { unit: 'REQUESTS', amount: '5', window: { kind: 'LIFETIME' } },
    ],
    thresholds: ['100', '80', '99.5'],
    enforcement: 'DOWNGRADE',
    downgradeTo: 'acme/small',
    onUnpricedModel: 'FALLBACK',
    fallbackPrice: { input: '0.15', output: '0.6' },
  });
  expect(errors).toEqual([]);
  expect(budget).toMatchObject({
    isActive: true,
    version: 1,
    selector: [
      { dimension: 'MODEL', tagKey: null, in: ['acme/large', 'acme/*'] },
      { dimension: 'TAG', tagKey: 'app', in: ['shop'] },
    ],
    groupBy: [
      { dimension: 'END_USER', tagKey: null },
      { dimension: 'TAG', tagKey: 'feature' },
    ],
    limits: [
      {
        unit: 'USD',
        amount: '123456789.000000000001',
        window: { kind: 'MONTH', zone: 'Europe/Berlin', anchor: '2001-01-15T06:00:00', length: null },
      },
      { unit: 'TOKENS', amount: '90071992547409930', window: { kind: 'ROLLING', zone: null, anchor: null, length: 'P7D' } },
      { unit: 'REQUESTS', amount: '5', window: { kind: 'LIFETIME', zone: null, anchor: null, length: null } },
    ],
    thresholds: ['80', '99.5', '100'],
    enforcement: 'DOWNGRADE',
    downgradeTo: 'acme/small',
    onUnpricedModel: 'FALLBACK',
    fallbackPrice: { input: '0.15', output: '0.6' },
  });
});

test('a changed amount keeps the limit it is of, a changed window makes another; an old version is refused; proxies and leases hear of it', async () => {
  const { db } = api.database.writer;
  const revision = await readRevision(db);
  const { budget } = await create({ limits: [usd('10'), { unit: 'REQUESTS', amount: '5', window: { kind: 'DAY' } }] });
  const limits = async () =>
    (
      await db
        .selectFrom('budgets')
        .select('definition')
        .where('name', '=', budget.name as string)
        .executeTakeFirstOrThrow()
    ).definition.limits;
  const before = await limits();
  const changed = await change('budgetUpdate', {
    id: budget.id,
    expectedVersion: 1,
    limits: [{ unit: 'REQUESTS', amount: '5', window: { kind: 'HOUR' } }, usd('20')],
  });
  expect(changed.errors).toEqual([]);
  expect(changed.budget.version).toBe(2);
  const after = await limits();
  expect(after[1]).toMatchObject({ id: before[0]?.id, amount: '20000000000000' });
  expect(before.map(({ id }) => id)).not.toContain(after[0]?.id);
  expect(await change('budgetUpdate', { id: budget.id, expectedVersion: 1, name: 'Late' })).toMatchObject({
    budget: null,
    errors: [{ __typename: 'VersionConflict', path: ['input', 'expectedVersion'] }],
  });
  const audited = await db
    .selectFrom('audit_events')
    .select(['action', 'changes'])
    .where('action', 'like', 'budget.%')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  expect(audited).toMatchObject({ action: 'budget.update', changes: [{ field: 'limits' }] });
  expect(Number(await readRevision(db))).toBe(Number(revision) + 2);
  const leased = await db
    .selectFrom('budget_limits')
    .selectAll()
    .where('budget_id', '=', uuidFromId('budget', budget.id) ?? '')
    .execute();
  const [day, month, hour] = [before[1]?.id, before[0]?.id, after[0]?.id].map((id) => leased.find((limit) => limit.id === id));
  expect(day).toMatchObject({ unit: 'requests', amount: 5n, window_kind: 'day', version: 1, sealed_at: expect.any(Date) });
  expect(month).toMatchObject({ unit: 'usd', amount: 20_000_000_000_000n, window_zone: 'Europe/Berlin', version: 2, sealed_at: null });
  expect(hour).toMatchObject({ window_kind: 'hour', window_zone: 'UTC', version: 1, sealed_at: null });
});

/** A budget of 10 USD a month and 5 requests for ever, which leasing knows. @returns its limits' ids, in this order. */
async function counted(name: string): Promise<{ readonly id: string; readonly limits: readonly string[] }> {
  const { db } = api.database.writer;
  const { budget } = await create({ name, limits: [usd('10'), { unit: 'REQUESTS', amount: '5', window: { kind: 'LIFETIME' } }] });
  const row = await db
    .selectFrom('budgets')
    .select(['id', 'organization_id', 'definition'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  const limits = row.definition.limits.map(({ id, unit, amount }) => ({ id, unit, amount: BigInt(amount) }));
  await db
    .insertInto('budget_limits')
    .values(
      limits.map((limit) => ({
        ...limit,
        organization_id: row.organization_id,
        budget_id: row.id,
        window_kind: 'lifetime',
        window_seconds: null,
        sealed_at: null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return { id: budget.id, limits: limits.map(({ id }) => id) };
}

test('a reset begins new counters for every limit, keeps the old ones with what they hold, and says why in the audit log', async () => {
  const { db } = api.database.writer;
  const { id, limits } = await counted('Begun again');
  const functions = leaseFunctions(db);
  const node = testId('node', 1);
  await functions.register(node, 1, 'n1');
  const ask = () =>
    functions.ask(
      node,
      1,
      limits.map((limit) => ({ limit, need: 5n })),
    );
  const before = await ask();
  const reset = (expectedVersion: number) => change('budgetReset', { id, expectedVersion, reason: 'The month was a test.' });
  expect(await reset(9)).toMatchObject({ budget: null, errors: [{ __typename: 'VersionConflict' }] });
  expect(await ask()).toMatchObject(before.map(({ counter_id }) => ({ outcome: 'held', counter_id })));
  expect(await reset(1)).toMatchObject({ budget: { version: 2 }, errors: [] });
  const after = await ask();
  expect(after).toMatchObject(limits.map(() => ({ outcome: 'granted', granted: 5n })));
  for (const { counter_id } of before) {
    expect(after.map((row) => row.counter_id)).not.toContain(counter_id);
    expect(await counterState(db, counter_id ?? '')).toMatchObject({ held: 5n, sealed_at: expect.any(Date) });
  }
  const audited = await db.selectFrom('audit_events').select('changes').where('action', '=', 'budget.reset').executeTakeFirst();
  expect(audited?.changes).toEqual([{ field: 'resetReason', from: null, to: 'The month was a test.' }]);
});

test('a limit is raised for a time and can be lowered before, with the version that is expected and a reason in the audit log', async () => {
  const { db } = api.database.writer;
  const { id, limits } = await counted('Raised');
  const functions = leaseFunctions(db);
  const node = testId('node', 2);
  await functions.register(node, 1, 'n2');
  const [, requests = ''] = limits;
  const available = async () => (await functions.ask(node, 1, [{ limit: requests, need: 0n }]))[0]?.amount;
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const lifetime = { unit: 'REQUESTS', window: { kind: 'LIFETIME' }, reason: 'Launch day.' };
  const raise = (expectedVersion: number, given: Record<string, unknown>) =>
    change('budgetRaise', { id, expectedVersion, ...lifetime, ...given });

  expect(await raise(9, { by: '7', until })).toMatchObject({ errors: [{ __typename: 'VersionConflict' }] });
  const refused: readonly [Record<string, unknown>, string][] = [
    [{ by: '7' }, 'until'],
    [{ by: '0', until }, 'until'],
    [{ by: '-7', until }, 'by'],
    [{ by: '7', until: new Date(Date.now() - 1_000).toISOString() }, 'until'],
    [{ by: '7', until, unit: 'TOKENS' }, 'window'],
  ];
  for (const [given, field] of refused) {
    expect([field, await raise(1, given)]).toMatchObject([field, { errors: [{ __typename: 'InvalidInput', path: ['input', field] }] }]);
  }
  expect(await available()).toBe(5n);
  expect(await raise(1, { by: '7', until })).toMatchObject({ budget: { version: 2, limits: [{}, { amount: '5' }] }, errors: [] });
  expect(await available()).toBe(12n);
  expect(await raise(2, { by: '0', reason: 'It was over early.' })).toMatchObject({ budget: { version: 3 }, errors: [] });
  expect(await available()).toBe(5n);
  const audited = await db.selectFrom('audit_events').select('changes').where('action', '=', 'budget.raise').orderBy('id').execute();
  expect(audited.map(({ changes }) => changes)).toMatchObject([
    expect.arrayContaining([
      { field: 'raise', from: null, to: { by: '7', until } },
      { field: 'raiseReason', from: null, to: 'Launch day.' },
    ]),
    expect.arrayContaining([{ field: 'raise', from: { by: '7', until }, to: null }]),
  ]);
});

test('a top-up adds to a lifetime limit once for its idempotency key, at the next ask, and says why in the audit log', async () => {
  const { db } = api.database.writer;
  const { id, limits } = await counted('Prepaid');
  const functions = leaseFunctions(db);
  const node = testId('node', 3);
  await functions.register(node, 1, 'n3');
  const [, requests = ''] = limits;
  const ask = async (known: bigint, need: bigint) => (await functions.ask(node, 1, [{ limit: requests, known, need }]))[0]?.outcome;
  const topUp = (idempotencyKey: string, given: Record<string, unknown> = {}) =>
    change('budgetTopUp', { idempotencyKey, id, unit: 'REQUESTS', by: '7', reason: ' Invoice 12 is paid. ', ...given });
  const wrong: readonly [Record<string, unknown>, string][] = [
    [{ by: '0' }, 'by'],
    [{ by: '-7' }, 'by'],
    // That limit is one of each month: to raise it for good is an update.
    [{ unit: 'USD' }, 'unit'],
  ];
  for (const [index, [given, field]] of wrong.entries()) {
    const refused = await topUp(`wrong ${index}`, given);
    expect([field, refused]).toMatchObject([field, { budget: null, errors: [{ __typename: 'InvalidInput', path: ['input', field] }] }]);
  }
  expect(await ask(0n, 5n)).toBe('granted');
  expect(await ask(5n, 1n)).toBe('short');
  const twelve = { budget: { version: 2, limits: [{ amount: '10' }, { amount: '12' }] }, errors: [] };
  expect(await topUp('invoice 12')).toMatchObject(twelve);
  expect(await topUp('invoice 12')).toMatchObject(twelve);
  expect(await ask(5n, 7n)).toBe('granted');
  expect(await topUp('invoice 12', { by: '8' })).toMatchObject({ errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  expect(await topUp('invoice 13', { by: '1' })).toMatchObject({ budget: { version: 3, limits: [{}, { amount: '13' }] }, errors: [] });
  const audited = await db.selectFrom('audit_events').select('changes').where('action', '=', 'budget.top_up').orderBy('id').execute();
  expect(audited.map(({ changes }) => changes)).toMatchObject([
    expect.arrayContaining([
      { field: 'amount', from: '5', to: '12' },
      { field: 'topUp', from: null, to: '7' },
      { field: 'topUpReason', from: null, to: 'Invoice 12 is paid.' },
    ]),
    expect.arrayContaining([{ field: 'amount', from: '12', to: '13' }]),
  ]);
});

test('an archived budget is out of the list, cannot be changed, and its name is free again', async () => {
  const { budget } = await create({ name: 'Once', limits: [usd('1')] });
  expect(await create({ name: 'ONCE', limits: [usd('1')] })).toMatchObject({
    errors: [{ __typename: 'NameTaken', path: ['input', 'name'] }],
  });
  const archived = await change('budgetArchive', { id: budget.id, expectedVersion: 1 });
  expect(archived.budget).toMatchObject({ archivedAt: expect.any(String), isActive: false });
  const sealed = api.database.writer.db
    .selectFrom('budget_limits')
    .select('sealed_at')
    .where('budget_id', '=', uuidFromId('budget', budget.id) ?? '');
  expect(await sealed.execute()).toEqual([{ sealed_at: expect.any(Date) }]);
  const list = 'query L($all: Boolean!) { budgets(first: 100, includeArchived: $all) { nodes { id } } }';
  const ids = async (all: boolean) =>
    (await api.ask<{ budgets: { nodes: { id: string }[] } }>(tenant.adminKey, list, { all })).data?.budgets.nodes.map(({ id }) => id);
  expect(await ids(false)).not.toContain(budget.id);
  expect(await ids(true)).toContain(budget.id);
  expect(await change('budgetUpdate', { id: budget.id, expectedVersion: 2, name: 'Again' })).toMatchObject({
    errors: [{ __typename: 'InvalidInput', path: ['input', 'id'] }],
  });
  expect((await create({ name: 'once', limits: [usd('1')] })).errors).toEqual([]);
});

test('what cannot be meant is refused and named', async () => {
  const day = { kind: 'DAY' };
  const team = 'team_00000000000000000000000000';
  const refused: readonly [Record<string, unknown>, string, readonly string[]][] = [
    [{ limits: [] }, 'InvalidInput', ['limits']],
    [{ limits: [usd('1'), usd('2')] }, 'InvalidInput', ['limits']],
    [{ limits: [usd('-1')] }, 'InvalidInput', ['limits', '0', 'amount']],
    [{ limits: [{ unit: 'TOKENS', amount: '1.5', window: day }] }, 'InvalidInput', []],
    [
      { limits: [{ unit: 'USD', amount: '1', window: { ...day, zone: 'Mars/Olympus' } }] },
      'InvalidInput',
      ['limits', '0', 'window', 'zone'],
    ],
    [{ limits: [{ unit: 'USD', amount: '1', window: { ...day, anchor: 'noon' } }] }, 'InvalidInput', ['limits', '0', 'window', 'anchor']],
    [{ limits: [{ unit: 'USD', amount: '1', window: { kind: 'ROLLING' } }] }, 'InvalidInput', []],
    [
      { limits: [{ unit: 'USD', amount: '1', window: { kind: 'ROLLING', length: 'PT90S' } }] },
      'InvalidInput',
      ['limits', '0', 'window', 'length'],
    ],
    [{ limits: [{ unit: 'USD', amount: '1', window: { kind: 'LIFETIME', zone: 'UTC' } }] }, 'InvalidInput', []],
    [{ limits: [usd('1')], selector: [{ dimension: 'TEAM', in: [team] }] }, 'NotFound', ['selector', '0', 'in']],
    [{ limits: [usd('1')], selector: [{ dimension: 'TEAM', in: ['Payments'] }] }, 'NotFound', ['selector', '0', 'in']],
    [{ limits: [usd('1')], selector: [{ dimension: 'MODEL', in: ['large'] }] }, 'InvalidInput', ['selector', '0', 'in']],
    [{ limits: [usd('1')], selector: [{ dimension: 'MODEL', in: [] }] }, 'InvalidInput', ['selector', '0', 'in']],
    [{ limits: [usd('1')], selector: [{ dimension: 'TAG', in: ['x'] }] }, 'InvalidInput', ['selector', '0', 'tagKey']],
    [{ limits: [usd('1')], groupBy: [{ dimension: 'MODEL', tagKey: 'x' }] }, 'InvalidInput', ['groupBy', '0', 'tagKey']],
    [{ limits: [usd('1')], groupBy: [{ dimension: 'MODEL' }, { dimension: 'MODEL' }] }, 'InvalidInput', ['groupBy']],
    [{ limits: [usd('1')], thresholds: ['0'] }, 'InvalidInput', ['thresholds']],
    [{ limits: [usd('1')], thresholds: ['80', '80.0'] }, 'InvalidInput', ['thresholds']],
    [{ limits: [usd('1')], enforcement: 'DOWNGRADE' }, 'InvalidInput', ['downgradeTo']],
    [{ limits: [usd('1')], downgradeTo: 'acme/small' }, 'InvalidInput', ['downgradeTo']],
    [{ limits: [usd('1')], onUnpricedModel: 'FALLBACK' }, 'InvalidInput', ['fallbackPrice']],
  ];
  for (const [input, type, path] of refused) {
    const { budget, errors } = await create(input);
    expect([input, budget, errors.map((error) => [error.__typename, error.path])]).toEqual([input, null, [[type, ['input', ...path]]]]);
  }
});
