import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { createShareDatabase } from '../../../services/proxy/shares/share-database.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';
import { settledRequest } from '../../harness/settled-request.ts';
import { leaseFunctions, setTestClock, stopClock, testId } from '../../leases/sql/lease-functions.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
  await stopClock(api.database, new Date('2026-03-10T12:00:00Z'));
});
afterAll(() => api[Symbol.asyncDispose]());

interface Payload {
  readonly rateLimit: Record<string, unknown> & { readonly id: string };
  readonly replayed: boolean;
  readonly errors: { readonly code: string; readonly path: string[] }[];
}

async function change(name: 'rateLimitCreate' | 'rateLimitUpdate' | 'rateLimitArchive', input: object): Promise<Payload> {
  const fields = `replayed errors { code path } rateLimit { id version name archivedAt selector { dimension in } groupBy { dimension }
    limits { unit amount per } reserve { percent for { dimension in } } }`;
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation M($input: ${type}!) { ${name}(input: $input) { ${fields} } }`;
  const { data, errors } = await api.ask<Record<string, Payload>>(tenant.adminKey, query, { input });
  expect(errors).toBeUndefined();
  const payload = data?.[name];
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

const perMinute = (unit: string, amount: string) => ({ unit, amount, per: 'MINUTE' });
const counted = (id: string) =>
  api.database.writer.db
    .selectFrom('budget_limits')
    .selectAll()
    .where('budget_id', '=', uuidFromId('rateLimit', id))
    .orderBy('unit')
    .execute();

test('a rate limit is shown as it was defined, once for the same idempotency key, and leasing hears of each change', async () => {
  const input = {
    idempotencyKey: 'one',
    name: 'Keys',
    selector: [{ dimension: 'MODEL', in: ['acme/*'] }],
    groupBy: [{ dimension: 'API_KEY' }],
    limits: [perMinute('REQUESTS', '60'), perMinute('INPUT_TOKENS', '40000'), { unit: 'USD', amount: '2.5', per: 'MONTH' }],
  };
  const { rateLimit, errors } = await change('rateLimitCreate', input);
  expect(errors).toEqual([]);
  const { idempotencyKey: _key, ...defined } = input;
  expect(rateLimit).toEqual({ id: expect.stringMatching(/^rlm_/), version: 1, archivedAt: null, reserve: null, ...defined });
  expect(await change('rateLimitCreate', input)).toMatchObject({ replayed: true, rateLimit: { id: rateLimit.id } });
  const before = await counted(rateLimit.id);
  expect(before.map(({ unit, amount, window_kind }) => [unit, amount, window_kind])).toEqual([
    ['input_tokens', 40_000n, 'minute'],
    ['requests', 60n, 'minute'],
    ['usd', 2_500_000_000_000n, 'month'],
  ]);

  const id = rateLimit.id;
  const limits = [perMinute('REQUESTS', '90'), { unit: 'INPUT_TOKENS', amount: '40000', per: 'HOUR' }];
  expect(await change('rateLimitUpdate', { id, expectedVersion: 1, limits })).toMatchObject({ errors: [], rateLimit: { version: 2 } });
  const after = await counted(id);
  const requests = after.filter(({ unit }) => unit === 'requests');
  expect(requests).toMatchObject([{ id: before[1]?.id, amount: 90n, version: 2, sealed_at: null }]);
  expect(after.filter(({ sealed_at }) => sealed_at === null).map(({ window_kind }) => window_kind)).toEqual(['hour', 'minute']);
  expect(await change('rateLimitArchive', { id, expectedVersion: 1 })).toMatchObject({
    rateLimit: null,
    errors: [{ code: 'VERSION_CONFLICT', path: ['input', 'expectedVersion'] }],
  });
  expect(await change('rateLimitArchive', { id, expectedVersion: 2 })).toMatchObject({ errors: [] });
  expect((await counted(id)).filter(({ sealed_at }) => sealed_at === null)).toEqual([]);
  const { data } = await api.ask(
    tenant.adminKey,
    '{ rateLimits(first: 5) { nodes { id } } all: rateLimits(first: 5, includeArchived: true) { nodes { id } } }',
  );
  expect(data).toEqual({ rateLimits: { nodes: [] }, all: { nodes: [{ id }] } });
});

test('a reserve is counted beside the limit it is kept of, moves with it, and ends', async () => {
  const reserve = { percent: 30, for: [{ dimension: 'TAG', tagKey: 'priority', in: ['high'] }] };
  const limits = [perMinute('REQUESTS', '99')];
  const { rateLimit, errors } = await change('rateLimitCreate', { idempotencyKey: 'reserve', name: 'Reserve', limits, reserve });
  const { id } = rateLimit;
  expect([errors, rateLimit.reserve]).toEqual([[], { percent: 30, for: [{ dimension: 'TAG', in: ['high'] }] }]);
  const live = async () => (await counted(id)).filter(({ sealed_at }) => sealed_at === null);
  const before = await live();
  expect(before.map(({ amount }) => amount)).toEqual(expect.arrayContaining([99n, 69n]));
  await change('rateLimitUpdate', { id, expectedVersion: 1, limits: [perMinute('REQUESTS', '200')], reserve: { ...reserve, percent: 50 } });
  const after = await live();
  const changed = before.map(({ id: limit, amount }) => [amount, after.find((each) => each.id === limit)?.amount]);
  expect(changed).toEqual(
    expect.arrayContaining([
      [99n, 200n],
      [69n, 100n],
    ]),
  );
  expect(after).toHaveLength(2);
  expect((await change('rateLimitUpdate', { id, expectedVersion: 2, reserve: null })).errors).toEqual([]);
  expect((await live()).map(({ amount }) => amount)).toEqual([200n]);
});

test.each([
  ['no limit', { limits: [] }, ['limits']],
  ['two of one unit and period', { limits: [perMinute('USD', '1'), perMinute('USD', '2')] }, ['limits']],
  ['a limit of what runs at once with a period', { limits: [perMinute('CONCURRENT_REQUESTS', '1')] }, ['limits', '0', 'per']],
  ['any other without one', { limits: [{ unit: 'TOKENS', amount: '1' }] }, ['limits', '0', 'per']],
  ['a negative amount', { limits: [perMinute('REQUESTS', '-1')] }, ['limits', '0', 'amount']],
  ['a reserve of all', { limits: [perMinute('USD', '1')], reserve: { percent: 100, for: [] } }, ['reserve', 'percent']],
  ['a reserve for nobody', { limits: [perMinute('USD', '1')], reserve: { percent: 1, for: [] } }, ['reserve', 'for']],
  [
    'a reserve for an unknown team',
    { limits: [perMinute('USD', '1')], reserve: { percent: 1, for: [{ dimension: 'TEAM', in: ['team_00000000000000000000000000'] }] } },
    ['reserve', 'for', '0', 'in'],
  ],
  ['the same group twice', { limits: [perMinute('REQUESTS', '1')], groupBy: [{ dimension: 'TEAM' }, { dimension: 'TEAM' }] }, ['groupBy']],
])('%s is refused, and the field is named', async (what, input, path) => {
  expect(await change('rateLimitCreate', { idempotencyKey: what, name: what, ...input })).toMatchObject({
    rateLimit: null,
    errors: [{ path: ['input', ...path] }],
  });
});

test('a key shows how each limit stands that counts its requests, and those of nobody else', async () => {
  await setTestClock(api.database, new Date('2026-03-10T12:00:40Z'));
  const { data: made } = await api.ask<{ apiKeyCreate: { apiKey: { id: string } } }>(
    tenant.adminKey,
    'mutation { apiKeyCreate(input: { idempotencyKey: "shown", name: "Shown" }) { apiKey { id } } }',
  );
  const key = made?.apiKeyCreate.apiKey.id ?? '';
  const limit = async (name: string, input: object) =>
    (await change('rateLimitCreate', { idempotencyKey: name, name, ...input })).rateLimit.id;
  const own = await limit('Own', { groupBy: [{ dimension: 'API_KEY' }], limits: [perMinute('REQUESTS', '10')] });
  await limit('Other', {
    selector: [{ dimension: 'API_KEY', in: [idFromUuid('apiKey', tenant.adminKeyId)] }],
    limits: [perMinute('REQUESTS', '1')],
  });
  const models = await limit('Models', {
    groupBy: [{ dimension: 'MODEL' }, { dimension: 'API_KEY' }],
    limits: [perMinute('TOKENS', '100')],
    reserve: { percent: 40, for: [{ dimension: 'MODEL', in: ['acme/*'] }] },
  });
  const functions = leaseFunctions(api.database.writer.db, tenant.organizationId);
  const node = testId('node', 7);
  await functions.register(node, 1, 'n7');
  const [requests] = await counted(own);
  const ofModels = await counted(models);
  const [whole, common] = [100n, 60n].map((amount) => ofModels.find((each) => each.amount === amount));
  const ask = (of: { id: string } | undefined, group: (string | null)[], need: bigint) =>
    functions.ask(node, 1, [{ limit: of?.id ?? '', group: JSON.stringify(group), need }]);
  const granted = await ask(requests, [key], 4n);
  await functions.post([{ counter: granted[0]?.counter_id ?? '', node, epoch: 1, debit: 3n, cost: 3n }]);
  await ask(requests, ['key_of_another'], 2n);
  for (const part of [whole, common]) await ask(part, ['acme/a', key], 30n);
  await ask(whole, ['acme/a', 'key_of_another'], 20n);
  await ask(whole, ['acme/b', null], 20n);

  const state = 'rateLimit { name } unit per isCommon group { dimension value } limit settled held remaining resetsAt';
  const { data, errors } = await api.ask(tenant.adminKey, `{ node(id: "${key}") { ... on ApiKey { rateLimits { ${state} } } } }`);
  expect(errors).toBeUndefined();
  const minute = { per: 'MINUTE', resetsAt: '2026-03-10T12:01:00.000000Z' };
  const [ofKey, ofModel] = [
    { dimension: 'API_KEY', value: key },
    { dimension: 'MODEL', value: 'acme/a' },
  ];
  const tokens = { ...minute, rateLimit: { name: 'Models' }, unit: 'TOKENS', group: [ofModel, ofKey], settled: '0', held: '30' };
  expect(data).toMatchObject({
    node: {
      rateLimits: expect.arrayContaining([
        {
          ...minute,
          ...{ rateLimit: { name: 'Own' }, unit: 'REQUESTS', isCommon: false, group: [ofKey] },
          ...{ limit: '10', settled: '3', held: '1', remaining: '6' },
        },
        { ...tokens, isCommon: false, limit: '100', remaining: '70' },
        { ...tokens, isCommon: true, limit: '60', remaining: '30' },
      ]),
    },
  });
  const { node: shown } = data as unknown as { node: { rateLimits: { rateLimit: { name: string } }[] } };
  expect(
    shown.rateLimits
      .map(({ rateLimit }) => rateLimit.name)
      .filter((name) => name !== 'Reserve')
      .sort(),
  ).toEqual(['Models', 'Models', 'Own']);
});

test('what a request held of a rate limit, and which one refused it, is shown with the request', async () => {
  const { rateLimit } = await change('rateLimitCreate', {
    idempotencyKey: 'held',
    name: 'Held',
    limits: [perMinute('INPUT_TOKENS', '40')],
  });
  const [limit] = await counted(rateLimit.id);
  const functions = leaseFunctions(api.database.writer.db, tenant.organizationId);
  const node = testId('node', 8);
  await functions.register(node, 1, 'n8');
  const [granted] = await functions.ask(node, 1, [{ limit: limit?.id ?? '', group: '', need: 5n }]);
  const holds = [{ counter: granted?.counter_id ?? '', hold: '5', debit: '4', cost: '4' }];
  const refusedBy = { budget: rateLimit.id, limit: limit?.id ?? '', needed: '36', amount: '40', settled: '0', held: '5' };
  const body = Buffer.from(JSON.stringify(settledRequest({ holds, refusedBy })));
  const entry = usageEntry(tenant.organizationId, { body, body_hash: createHash('sha256').update(body).digest() });
  await book(api.database.writer.db, [entry]);
  const own = 'budget { id } rateLimit { name } unit held';
  const { data, errors } = await api.ask(
    tenant.adminKey,
    `{ request(id: "${idFromUuid('request', entry.request_id)}") { details { holds { stateId cost ${own} } refusedBy { window { kind } needed limit ${own} } } } }`,
  );
  expect(errors).toBeUndefined();
  const shown = { budget: null, rateLimit: { name: 'Held' }, unit: 'INPUT_TOKENS' };
  expect(data).toEqual({
    request: {
      details: {
        holds: [{ ...shown, stateId: null, cost: '4', held: '5' }],
        refusedBy: { ...shown, window: { kind: 'MINUTE' }, needed: '36', limit: '40', held: '5' },
      },
    },
  });
});

test('a key shows what proxies have of limits that are shared, and by how much one that is silent may exceed them', async () => {
  const { data: made } = await api.ask<{ apiKeyCreate: { apiKey: { id: string } } }>(
    tenant.adminKey,
    'mutation { apiKeyCreate(input: { idempotencyKey: "shares", name: "Shares" }) { apiKey { id } } }',
  );
  const key = made?.apiKeyCreate.apiKey.id ?? '';
  const selector = [{ dimension: 'API_KEY', in: [key] }];
  const limits = [
    { unit: 'CONCURRENT_REQUESTS', amount: '4' },
    { unit: 'REQUESTS', amount: '9', per: 'SECOND' },
  ];
  const { rateLimit, errors } = await change('rateLimitCreate', { idempotencyKey: 'shared', name: 'Shared', selector, limits });
  const shown = [{ unit: 'CONCURRENT_REQUESTS', amount: '4', per: null }, limits[1]];
  expect([errors, rateLimit.limits]).toEqual([[], shown]);
  const shared = () =>
    api.database.writer.db
      .selectFrom('shared_limits')
      .selectAll()
      .where('rate_limit_id', '=', uuidFromId('rateLimit', rateLimit.id))
      .orderBy('amount')
      .execute();
  const [running, second] = await shared();
  expect([running?.period_ms, second?.period_ms]).toEqual([null, 1_000]);

  const [one, other] = [7, 8].map((number) => createShareDatabase(api.database.writer.db, testId('node', number), 1));
  const word = (limit: string | undefined, want: bigint, used: bigint, keep: bigint) => {
    return { limit: limit ?? '', group: '', keep, used, want, need: 1n, ask: want };
  };
  let sequence = 0;
  const tell = async (node: typeof one, ...items: ReturnType<typeof word>[]) => {
    sequence += 1;
    const answer = await node?.tell({ sequence, sentAt: 0, isFirst: false, leaving: false, items });
    return answer?.items.map(({ share, others, recall }) => [share, others, recall]);
  };
  await setTestClock(api.database, new Date('2026-03-10T12:00:00Z'));
  expect(await tell(one, word(running?.id, 3n, 0n, 0n), word(second?.id, 5n, 0n, 0n))).toEqual([
    [3n, 0n, null],
    [5n, 0n, null],
  ]);
  expect(await tell(one, word(running?.id, 3n, 2n, 3n), word(second?.id, 5n, 4n, 5n))).toHaveLength(2);
  // The other wants more than there is: it has what is left, and the first is told to come down to an equal part.
  expect(await tell(other, word(running?.id, 4n, 0n, 0n))).toEqual([[1n, 3n, null]]);
  expect(await tell(one)).toEqual([[3n, null, 2n]]);
  const state = 'unit per limit settled held remaining resetsAt shares { proxies given used errorBound }';
  const states = async () =>
    (
      await api.ask<{ node: { rateLimits: object[] } }>(
        tenant.adminKey,
        `{ node(id: "${key}") { ... on ApiKey { rateLimits { rateLimit { name } ${state} } } } }`,
      )
    ).data?.node.rateLimits.filter((each) => JSON.stringify(each).includes('"Shared"'));
  const common = { rateLimit: { name: 'Shared' }, resetsAt: null };
  const ofSecond = { ...common, unit: 'REQUESTS', per: 'SECOND', limit: '9' };
  const ofRunning = { ...common, unit: 'CONCURRENT_REQUESTS', per: null, limit: '4' };
  expect(await states()).toEqual([
    { ...ofRunning, settled: '0', held: '4', remaining: '0', shares: { proxies: 2, given: '4', used: '2', errorBound: '0' } },
    { ...ofSecond, settled: '4', held: '1', remaining: '4', shares: { proxies: 1, given: '5', used: '4', errorBound: '0' } },
  ]);

  // Who is refused by one is told which it was, as by any other.
  const refusedBy = { budget: rateLimit.id, limit: second?.id ?? '', needed: '1', amount: '9', settled: '4', held: '5' };
  const body = Buffer.from(JSON.stringify(settledRequest({ refusedBy })));
  const entry = usageEntry(tenant.organizationId, { body, body_hash: createHash('sha256').update(body).digest() });
  await book(api.database.writer.db, [entry]);
  const told = 'refusedBy { rateLimit { name } unit window { kind length } needed limit settled held }';
  const refused = await api.ask(tenant.adminKey, `{ request(id: "${idFromUuid('request', entry.request_id)}") { details { ${told} } } }`);
  expect(refused).toMatchObject({
    data: {
      request: {
        details: {
          refusedBy: {
            rateLimit: { name: 'Shared' },
            unit: 'REQUESTS',
            window: { kind: 'ROLLING', length: 'PT1S' },
            limit: '9',
            held: '5',
          },
        },
      },
    },
  });

  // A minute later nobody has heard of the first.
  await setTestClock(api.database, new Date('2026-03-10T12:00:39Z'));
  await tell(other, word(running?.id, 4n, 1n, 1n));
  await setTestClock(api.database, new Date('2026-03-10T12:01:00Z'));
  expect(await tell(other, word(running?.id, 4n, 1n, 1n))).toEqual([[4n, 0n, null]]);
  expect(await states()).toMatchObject([
    { shares: { proxies: 1, given: '4', errorBound: '3' } },
    { settled: '0', held: '0', remaining: '9', shares: { proxies: 0, given: '0', errorBound: '5' } },
  ]);
  await setTestClock(api.database, new Date('2026-03-10T12:01:01Z'));
  // What it says it keeps is not its own any more, and it hears so.
  expect(await tell(one, word(running?.id, 3n, 2n, 3n), word(second?.id, 1n, 0n, 5n))).toEqual([
    [0n, 4n, null],
    [1n, 0n, null],
  ]);
});
