import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { createLeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { END_USER_ALIAS, endUserAlias } from '../../../services/registry/catalog/match-budgets.ts';
import { INSTALLATION_ID } from '../../../services/registry/seed.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';
import { testSecrets } from '../../harness/registry.ts';
import { settledRequest } from '../../harness/settled-request.ts';
import type { LeaseFunctions } from '../../leases/sql/lease-functions.ts';
import { leaseFunctions, setTestClock, stopClock, testId } from '../../leases/sql/lease-functions.ts';

const noon = new Date('2026-11-10T12:00:00Z');
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const node = testId('node', 1);

let api: TestApi;
let tenant: TestTenant;
let leases: LeaseFunctions;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
  leases = leaseFunctions(api.database.writer.db, tenant.organizationId);
  await stopClock(api.database, noon);
  await leases.register(node, 1, 'n1');
});
beforeEach(() => setTestClock(api.database, noon));
afterAll(() => api[Symbol.asyncDispose]());

interface State {
  readonly id: string;
  readonly unit: string;
  readonly group: readonly { readonly value: string | null }[] | null;
  readonly status: string;
  readonly [amount: string]: unknown;
}
interface Connection {
  readonly nodes: readonly State[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

let made = 0;
async function makeBudget(limits: string, more = ''): Promise<{ readonly id: string; readonly limits: readonly string[] }> {
  made += 1;
  const { data } = await api.ask<{ budgetCreate: { budget: { id: string } } }>(
    tenant.adminKey,
    `mutation { budgetCreate(input: { idempotencyKey: "${made}", name: "Budget ${made}", enforcement: ENFORCE, limits: [${limits}] ${more} }) { budget { id } } }`,
  );
  const id = data?.budgetCreate.budget.id ?? '';
  const { definition } = await api.database.writer.db
    .selectFrom('budgets')
    .select('definition')
    .where('id', '=', uuidFromId('budget', id) ?? '')
    .executeTakeFirstOrThrow();
  return { id, limits: definition.limits.map((limit) => limit.id) };
}

const fields =
  'id unit group { dimension tagKey value } status limit settled held lost overrun remaining startsAt resetsAt projectedExhaustionAt asOf';

async function connectionOf(id: string, args = '(first: 20)'): Promise<Connection> {
  const { data, errors } = await api.ask<{ node: { state: Connection } }>(
    tenant.adminKey,
    `{ node(id: "${id}") { ... on Budget { state${args} { nodes { ${fields} } pageInfo { hasNextPage endCursor } } } } }`,
  );
  expect(errors).toBeUndefined();
  return data?.node.state ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
}

const statesOf = async (id: string, args = '(first: 20)'): Promise<readonly State[]> => (await connectionOf(id, args)).nodes;

async function change(mutation: string): Promise<void> {
  const { data } = await api.ask<Record<string, { errors: unknown[] }>>(tenant.adminKey, `mutation { ${mutation} { errors { message } } }`);
  expect(Object.values(data ?? {}).map(({ errors }) => errors)).toEqual([[]]);
}

/** Takes room of a limit for the test's node, which has been given `known` of it. @returns the counter's uuid. */
async function grant(limit: string, need: bigint, { known = 0n, group = '' } = {}): Promise<string> {
  const [row] = await leases.ask(node, 1, [{ limit, group, known, need }]);
  expect(row?.outcome).toBe('granted');
  return row?.counter_id ?? '';
}

const monthly = (amount: string): string => `{ unit: REQUESTS, amount: "${amount}", window: { kind: MONTH } }`;

test('a budget that was never used shows all of each limit, when it comes back, and no forecast', async () => {
  const { id } = await makeBudget(
    '{ unit: USD, amount: "2.5", window: { kind: MONTH, zone: "Europe/Berlin" } }, { unit: TOKENS, amount: "7", window: { kind: LIFETIME } }',
  );
  const states = await statesOf(id);
  expect(states.find(({ unit }) => unit === 'USD')).toEqual({
    id: expect.stringMatching(/^ctr_/),
    unit: 'USD',
    group: [],
    status: 'OPEN',
    limit: '2.5',
    settled: '0',
    held: '0',
    lost: '0',
    overrun: '0',
    remaining: '2.5',
    startsAt: '2026-10-31T23:00:00.000000Z',
    resetsAt: '2026-11-30T23:00:00.000000Z',
    projectedExhaustionAt: null,
    asOf: '2026-11-10T12:00:00.000000Z',
  });
  expect(states.find(({ unit }) => unit === 'TOKENS')).toMatchObject({ limit: '7', remaining: '7', startsAt: null, resetsAt: null });
});

test('settled, held and remaining add up from the first hold to the last, under the id the limit had before it was used', async () => {
  const { id, limits } = await makeBudget(monthly('10'));
  const [unused] = await statesOf(id);
  const counter = await grant(limits[0] ?? '', 4n);
  expect(await statesOf(id)).toMatchObject([{ id: unused?.id, status: 'OPEN', settled: '0', held: '4', remaining: '6' }]);
  await leases.post([{ counter, node, epoch: 1, debit: 3n, cost: 3n }]);
  expect(await statesOf(id)).toMatchObject([{ status: 'OPEN', settled: '3', held: '1', remaining: '6', overrun: '0' }]);
  await leases.post([{ counter, node, epoch: 1, debit: 1n, cost: 3n }]);
  expect(await statesOf(id)).toMatchObject([{ settled: '6', held: '0', remaining: '4', overrun: '2' }]);
});

test('a status says why nothing, or nothing more, is granted', async () => {
  const { id, limits } = await makeBudget(monthly('10'));
  const limit = limits[0] ?? '';
  const status = async (): Promise<string | undefined> => (await statesOf(id))[0]?.status;
  const counter = await grant(limit, 6n);
  const [short] = await leases.ask(node, 1, [{ limit, counter, known: 6n, need: 5n }]);
  expect([short?.outcome, await status()]).toEqual(['short', 'SCARCE']);
  await setTestClock(api.database, later(31_000));
  expect(await status()).toBe('OPEN');
  await grant(limit, 4n, { known: 6n });
  expect(await status()).toBe('IN_FLIGHT');
  await leases.post([{ counter, node, epoch: 1, debit: 10n, cost: 10n }]);
  expect(await statesOf(id)).toMatchObject([
    { status: 'EXHAUSTED', projectedExhaustionAt: later(31_000).toISOString().replace('Z', '000Z') },
  ]);
  await change(`budgetUpdate(input: { id: "${id}", expectedVersion: 1, limits: [${monthly('9')}] })`);
  expect(await statesOf(id)).toMatchObject([{ status: 'OVER_LIMIT', limit: '9', remaining: '0' }]);
  await change(`budgetRaise(input: { id: "${id}", expectedVersion: 2, unit: REQUESTS, window: { kind: MONTH }, by: "5",
    until: "${new Date(Date.now() + 86_400_000).toISOString()}", reason: "fair" })`);
  expect(await statesOf(id)).toMatchObject([{ status: 'OPEN', limit: '14', remaining: '4' }]);
  await api.database.owner.execute('update lease_generation set reconciling_since = lease_now()');
  const reconciling = await status();
  await api.database.owner.execute('update lease_generation set reconciling_since = null');
  expect(reconciling).toBe('RECONCILING');
});

test('what a reset left and the windows before are shown where they are asked for, sealed', async () => {
  const { id, limits } = await makeBudget(monthly('10'));
  const counter = await grant(limits[0] ?? '', 4n);
  await leases.post([{ counter, node, epoch: 1, debit: 4n, cost: 4n }]);
  await change(`budgetReset(input: { id: "${id}", expectedVersion: 1, reason: "a test" })`);
  expect(await statesOf(id)).toMatchObject([{ status: 'OPEN', settled: '0' }]);
  const all = await statesOf(id, '(first: 20, includeSealed: true)');
  expect(all.map(({ status, settled }) => [status, settled]).sort()).toEqual([
    ['OPEN', '0'],
    ['SEALED', '4'],
  ]);
  await grant(limits[0] ?? '', 2n);
  await setTestClock(api.database, later(30 * 86_400_000));
  expect(await statesOf(id)).toMatchObject([{ status: 'OPEN', held: '0', startsAt: '2026-12-01T00:00:00.000000Z' }]);
  expect(await statesOf(id, `(first: 20, at: "${noon.toISOString()}")`)).toMatchObject([
    { status: 'SEALED', held: '2', resetsAt: '2026-12-01T00:00:00.000000Z' },
  ]);
  expect(await statesOf(id, '(first: 20, at: "2026-01-01T00:00:00Z")')).toEqual([]);
});

test('of a rolling window the use that has left it is not shown, though nobody asked since', async () => {
  const { id, limits } = await makeBudget('{ unit: REQUESTS, amount: "10", window: { kind: ROLLING, length: "PT1H" } }');
  const counter = await grant(limits[0] ?? '', 8n);
  await leases.post([{ counter, node, epoch: 1, debit: 4n, cost: 6n }]);
  await setTestClock(api.database, later(30 * 60_000));
  await leases.post([{ counter, node, epoch: 1, debit: 1n, cost: 1n }]);
  expect(await statesOf(id)).toMatchObject([{ settled: '7', held: '3', overrun: '2', remaining: '0', resetsAt: null }]);
  await setTestClock(api.database, later(62 * 60_000));
  expect(await statesOf(id)).toMatchObject([{ settled: '1', held: '3', overrun: '0', remaining: '6' }]);
  await setTestClock(api.database, later(3 * 3_600_000));
  expect(await statesOf(id)).toMatchObject([{ settled: '0', held: '3', remaining: '7' }]);
  // The next ask comes to the same.
  const other = testId('node', 2);
  await leases.register(other, 1, 'n2');
  const [granted] = await leases.ask(other, 1, [{ limit: limits[0] ?? '', counter, need: 7n }]);
  expect([granted?.outcome, granted?.rest]).toEqual(['granted', 0n]);
});

test('groups are paged in order, found by their values, and named by what the budget groups by', async () => {
  const { id, limits } = await makeBudget(
    `${monthly('5')}, { unit: REQUESTS, amount: "3", window: { kind: DAY } }`,
    'groupBy: [{ dimension: END_USER }, { dimension: TAG, tagKey: "app" }]',
  );
  expect(await statesOf(id)).toEqual([]);
  for (const group of ['["ann","shop"]', '["bob",null]', '["eve","shop"]', 'sha256:0123'])
    for (const limit of limits) await grant(limit, 1n, { group });
  const seen: State[] = [];
  let after = '';
  for (;;) {
    const { nodes, pageInfo } = await connectionOf(id, `(first: 3${after})`);
    seen.push(...nodes);
    if (!pageInfo.hasNextPage) break;
    expect(nodes).toHaveLength(3);
    after = `, after: "${pageInfo.endCursor}"`;
  }
  expect(seen.map(({ group }) => group?.map(({ value }) => value) ?? null)).toEqual(
    [['ann', 'shop'], ['bob', null], ['eve', 'shop'], null].flatMap((group) => [group, group]),
  );
  expect(new Set(seen.map((state) => state.id)).size).toBe(8);
  const { nodes, pageInfo } = await connectionOf(id, `(last: 3${after.replace('after', 'before')})`);
  expect([nodes.map((state) => state.id), pageInfo.hasNextPage]).toEqual([seen.slice(2, 5).map((state) => state.id), true]);
  expect(seen[0]?.group).toEqual([
    { dimension: 'END_USER', tagKey: null, value: 'ann' },
    { dimension: 'TAG', tagKey: 'app', value: 'shop' },
  ]);
  // Of an end user the key has what stands for the name, and who knows the name finds it.
  const hashOf = (text: string): string => createHmac('sha256', testSecrets.deriveKey(END_USER_ALIAS)).update(text).digest('base64url');
  const zoe = endUserAlias(hashOf, idFromUuid('organization', tenant.organizationId), 'zoe');
  await grant(limits[0] ?? '', 1n, { group: JSON.stringify([zoe, 'shop']) });
  const [found, ...others] = await statesOf(id, '(first: 20, group: ["zoe", "shop"])');
  expect([found?.group?.map(({ value }) => value), others]).toEqual([[zoe, 'shop'], []]);
  const bob = await statesOf(id, '(last: 20, group: ["bob", null])');
  expect(bob.map(({ limit }) => limit).sort()).toEqual(['3', '5']);
});

const leaseFields = 'node { id state lastSeenAt lostAt } epoch state granted returned posted left lost uncovered cause';
interface Shown {
  readonly leases: { readonly nodes: readonly Record<string, unknown>[] };
  readonly movements: { readonly nodes: readonly Record<string, unknown>[]; readonly pageInfo: { readonly endCursor: string } };
}

async function leasesOf(id: string, movements = 'first: 20', done = false): Promise<Shown> {
  const { data, errors } = await api.ask<{ node: { state: { nodes: Shown[] } } }>(
    tenant.adminKey,
    `{ node(id: "${id}") { ... on Budget { state(first: 1) { nodes { leases(first: 20, includeDone: ${done}) { nodes { ${leaseFields} } }
      movements(${movements}) { nodes { version kind amount committed cap node { id } epoch cause } pageInfo { endCursor } } } } } } }`,
  );
  expect(errors).toBeUndefined();
  const shown = data?.node.state.nodes[0];
  if (shown === undefined) throw new Error('no state');
  return shown;
}

test('who holds a limit is shown by proxy, and every change of it with its cause, page by page', async () => {
  const { id, limits } = await makeBudget(monthly('10'));
  const counter = await grant(limits[0] ?? '', 4n);
  await leases.post([{ counter, node, epoch: 1, debit: 1n, cost: 1n }]);
  await leases.giveBack(node, 1, [{ counter, returned: 3n }]);
  await leases.post([{ counter, node, epoch: 1, debit: 2n, cost: 2n }]);
  const nodeId = idFromUuid('node', node);
  const { leases: held, movements } = await leasesOf(id);
  expect(held.nodes).toEqual([
    {
      node: { id: nodeId, state: 'LIVE', lastSeenAt: expect.any(String), lostAt: null },
      epoch: '1',
      state: 'OPEN',
      granted: '4',
      returned: '3',
      posted: '3',
      left: '0',
      lost: '0',
      uncovered: '2',
      cause: null,
    },
  ]);
  expect(movements.nodes).toEqual([
    { version: '2', kind: 'RETURN', amount: '-3', committed: '1', cap: '10', node: { id: nodeId }, epoch: '1', cause: null },
    { version: '1', kind: 'GRANT', amount: '4', committed: '4', cap: '10', node: { id: nodeId }, epoch: '1', cause: null },
  ]);
  const first = await leasesOf(id, 'first: 1');
  expect(first.movements.nodes).toMatchObject([{ version: '2' }]);
  const second = await leasesOf(id, `first: 1, after: "${first.movements.pageInfo.endCursor}"`);
  expect(second.movements.nodes).toMatchObject([{ version: '1' }]);
});

test('what a lost proxy holds is released by a person, with a reason, at what was spent; what a living one holds is not', async () => {
  const { id, limits } = await makeBudget(monthly('10'));
  const gone = testId('node', 3);
  const nodeId = idFromUuid('node', gone);
  await leases.register(gone, 1, 'n3');
  const [asked] = await leases.ask(gone, 1, [{ limit: limits[0] ?? '', need: 6n }]);
  const stateId = idFromUuid('counter', asked?.counter_id ?? '');
  const release = async (key: string, idempotencyKey: string) =>
    api.ask<{ budgetLeaseRelease: Record<string, unknown> }>(
      key,
      `mutation { budgetLeaseRelease(input: { idempotencyKey: "${idempotencyKey}", stateId: "${stateId}", nodeId: "${nodeId}", epoch: "1", spent: "2",
        reason: "its disk is gone" }) { freed replayed budget { id } errors { code path } auditEventId } }`,
    );
  const declare = (key: string) =>
    api.ask<{ nodeDeclareLost: Record<string, unknown> }>(
      key,
      `mutation { nodeDeclareLost(input: { idempotencyKey: "lost", nodeId: "${nodeId}", reason: "its disk is gone" }) {
        node { id state } errors { code } auditEventId } }`,
    );
  expect((await release(tenant.adminKey, 'r1')).data?.budgetLeaseRelease).toMatchObject({
    freed: null,
    errors: [{ code: 'INVALID_INPUT', path: ['input', 'nodeId'] }],
  });
  expect((await declare(tenant.adminKey)).errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const root = await api.makeKey(tenant.organizationId, ['*', 'installation:admin']);
  expect((await declare(root.secret)).data?.nodeDeclareLost).toMatchObject({ node: { id: nodeId, state: 'LOST' }, errors: [] });
  expect(await statesOf(id)).toMatchObject([{ held: '6', lost: '6', remaining: '4' }]);
  expect((await leasesOf(id)).leases.nodes).toMatchObject([{ state: 'LOST', left: '6', lost: '6' }]);
  const reader = await api.makeKey(tenant.organizationId, ['budget:read', 'budget:update']);
  expect((await release(reader.secret, 'r2')).errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const released = { budget: { id }, errors: [], auditEventId: expect.stringMatching(/^aud_/) };
  expect((await release(tenant.adminKey, 'r3')).data?.budgetLeaseRelease).toEqual({ ...released, freed: '4', replayed: false });
  expect((await release(tenant.adminKey, 'r3')).data?.budgetLeaseRelease).toEqual({ ...released, freed: null, replayed: true });
  expect(await statesOf(id)).toMatchObject([{ held: '2', remaining: '8' }]);
  const { leases: after, movements } = await leasesOf(id);
  expect(after.nodes).toMatchObject([{ returned: '4', cause: 'its disk is gone' }]);
  expect(movements.nodes[0]).toMatchObject({ kind: 'RELEASE', amount: '-4', cause: 'its disk is gone' });
  const audited = await api.database.writer.db
    .selectFrom('audit_events')
    .select(['action', 'organization_id'])
    .where('action', 'in', ['budget.lease_release', 'proxy.declare_lost'])
    .orderBy('action')
    .execute();
  expect(audited).toEqual([
    { action: 'budget.lease_release', organization_id: tenant.organizationId },
    { action: 'proxy.declare_lost', organization_id: INSTALLATION_ID },
  ]);
  const { data } = await api.ask<{ proxyNodes: { nodes: Record<string, unknown>[] } }>(
    root.secret,
    '{ proxyNodes(first: 10) { nodes { id epoch state lastSeenAt lostAt } } }',
  );
  expect(data?.proxyNodes.nodes).toContainEqual(expect.objectContaining({ id: nodeId, epoch: '1', state: 'LOST' }));
});

test('what a proxy holds for requests in flight is shown as it told last, and no longer once its next boot has registered', async () => {
  const { id, limits } = await makeBudget('{ unit: USD, amount: "10", window: { kind: MONTH } }');
  const proxy = testId('node', 4);
  await leases.register(proxy, 1, 'n4');
  const [asked] = await leases.ask(proxy, 1, [{ limit: limits[0] ?? '', need: 6n }]);
  const counter = asked?.counter_id ?? '';
  const request = testId('budget', 9);
  const { tellOpen } = createLeaseDatabase(api.database.writer.db, proxy, 'n4');
  const shown = async (): Promise<unknown> => {
    const { data, errors } = await api.ask<{ node: { state: { nodes: { openHolds: unknown }[] } } }>(
      tenant.adminKey,
      `{ node(id: "${id}") { ... on Budget { state(first: 5) { nodes { openHolds { node { id } holds amount oldest { requestId amount since } toldAt silentSince } } } } } }`,
    );
    expect(errors).toBeUndefined();
    return data?.node.state.nodes[0]?.openHolds;
  };
  await tellOpen(1, { counters: [{ counter, holds: 3, amount: 7n }], oldest: [{ request, counter, amount: 2n }] });
  // Of another boot than the one there is.
  await tellOpen(2, { counters: [{ counter, holds: 9, amount: 9n }], oldest: [] });
  const told = {
    node: { id: idFromUuid('node', proxy) },
    holds: 3,
    amount: '0.000000000007',
    oldest: [{ requestId: idFromUuid('request', request), amount: '0.000000000002', since: '1970-01-01T00:00:00.000000Z' }],
    toldAt: noon.toISOString().replace('Z', '000Z'),
    silentSince: null,
  };
  expect(await shown()).toEqual([told]);
  await setTestClock(api.database, later(10_000));
  expect(await shown()).toEqual([told]);
  // As dead as it may be, nobody else can say what became of them.
  await setTestClock(api.database, later(10_001));
  expect(await shown()).toEqual([{ ...told, silentSince: told.toldAt }]);
  const { data } = await api.ask<{ oldestOpenHolds: { requestId: string }[] }>(
    tenant.adminKey,
    '{ oldestOpenHolds(first: 100) { requestId stateId unit amount since silentSince toldAt node { id } } }',
  );
  expect(data?.oldestOpenHolds.filter(({ requestId }) => requestId === told.oldest[0]?.requestId)).toEqual([
    {
      ...told.oldest[0],
      stateId: idFromUuid('counter', counter),
      unit: 'USD',
      node: told.node,
      toldAt: told.toldAt,
      silentSince: told.toldAt,
    },
  ]);
  await leases.register(proxy, 2, 'n4');
  expect(await shown()).toEqual([]);
});

test('what a booked request held is shown with what became of it; of counters that an old backup has forgotten nothing is', async () => {
  const { id, limits } = await makeBudget('{ unit: USD, amount: "10", window: { kind: MONTH } }');
  const counter = await grant(limits[0] ?? '', 6n);
  const bookedAs = async (
    outcome: 'succeeded' | 'failed' | 'orphaned',
    debit: string,
    cost: string,
    errorCode: string | null = null,
  ): Promise<unknown> => {
    const holds = [counter, testId('limit', 99)].map((each) => ({ counter: each, hold: '3', debit, cost }));
    const body = Buffer.from(JSON.stringify(settledRequest({ outcome, errorCode, holds })));
    const entry = usageEntry(tenant.organizationId, { body, body_hash: createHash('sha256').update(body).digest(), outcome });
    await book(api.database.writer.db, [entry]);
    const { data, errors } = await api.ask<{ request: { details: { holds: unknown } } }>(
      tenant.adminKey,
      `{ request(id: "${idFromUuid('request', entry.request_id)}") { details { holds { budget { id } rateLimit { id } stateId unit state cause held debit cost isOverrun } } } }`,
    );
    expect(errors).toBeUndefined();
    return data?.request.details.holds;
  };
  const pico = (amount: string) => (amount === '0' ? '0' : `0.00000000000${amount}`);
  const shown = (state: string, debit: string, cost: string, cause: string, isOverrun = false) => [
    {
      budget: { id },
      rateLimit: null,
      stateId: idFromUuid('counter', counter),
      unit: 'USD',
      state,
      cause,
      held: pico('3'),
      debit: pico(debit),
      cost: pico(cost),
      isOverrun,
    },
  ];
  expect(await bookedAs('succeeded', '2', '2')).toEqual(shown('SETTLED', '2', '2', 'succeeded'));
  expect(await bookedAs('succeeded', '3', '5')).toEqual(shown('SETTLED', '3', '5', 'succeeded', true));
  expect(await bookedAs('failed', '0', '0', 'upstream_unreachable')).toEqual(shown('RELEASED', '0', '0', 'failed upstream_unreachable'));
  expect(await bookedAs('orphaned', '3', '3')).toEqual(shown('ORPHANED', '3', '3', 'orphaned'));
});

test('who refused a request, or would have, is shown with what was known then, and whose answer a repetition got', async () => {
  const { id, limits } = await makeBudget('{ unit: USD, amount: "10", window: { kind: MONTH } }');
  const booked = async (changes: Partial<RequestSettled>): Promise<string> => {
    const body = Buffer.from(JSON.stringify(settledRequest(changes)));
    const entry = usageEntry(tenant.organizationId, { body, body_hash: createHash('sha256').update(body).digest() });
    await book(api.database.writer.db, [entry]);
    return idFromUuid('request', entry.request_id);
  };
  const shown = async (request: string, key = tenant.adminKey): Promise<Record<string, unknown> | undefined> => {
    const refusal = '{ refusedById budget { id } rateLimit { id } unit window { kind zone } needed limit settled held }';
    const { data, errors } = await api.ask<{ request: { details: Record<string, unknown> } }>(
      key,
      `{ request(id: "${request}") { details { refusedBy ${refusal} wouldRefuse ${refusal} replayOfId replayOf { id } } } }`,
    );
    expect(errors).toBeUndefined();
    return data?.request.details;
  };
  const usd = (amount: number) => (BigInt(amount) * 1_000_000_000_000n).toString();
  const seen = { needed: usd(3), amount: usd(10), settled: usd(6) };
  const refused = await booked({ outcome: 'rejected', refusedBy: { budget: id, limit: limits[0] ?? '', ...seen, held: usd(2) } });
  const row = {
    refusedById: id,
    budget: { id },
    rateLimit: null,
    unit: 'USD',
    window: { kind: 'MONTH', zone: 'UTC' },
    needed: '3',
    limit: '10',
    settled: '6',
    held: '2',
  };
  expect(await shown(refused)).toEqual({ refusedBy: row, wouldRefuse: [], replayOfId: null, replayOf: null });
  // What a budget is called does not come along with requests.
  const { secret } = await api.makeKey(tenant.organizationId, ['request:read']);
  expect(await shown(refused, secret)).toMatchObject({ refusedBy: { ...row, budget: null } });

  const audited = await booked({ wouldRefuse: [{ budget: id, limit: limits[0] ?? '', ...seen }] });
  expect(await shown(audited)).toMatchObject({ refusedBy: null, wouldRefuse: [{ ...row, held: null }] });

  // For want of a price, and by a limit that an old backup has forgotten.
  const nothing = { needed: null, amount: null, settled: null, held: null };
  const shownNothing = { ...row, unit: null, window: null, needed: null, limit: null, settled: null, held: null };
  for (const limit of ['', testId('limit', 98)]) {
    const unpriced = await booked({ outcome: 'rejected', refusedBy: { budget: id, limit, ...nothing } });
    expect(await shown(unpriced)).toMatchObject({ refusedBy: shownNothing });
  }

  const repeated = await booked({ outcome: 'cached', replayOf: refused });
  expect(await shown(repeated)).toMatchObject({ replayOfId: refused, replayOf: { id: refused } });
  const unknown = idFromUuid('request', testId('node', 97));
  expect(await shown(await booked({ outcome: 'cached', replayOf: unknown }))).toMatchObject({ replayOfId: unknown, replayOf: null });
});
