import fc from 'fast-check';
import { print } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { PICO_PER_USD, parseUsd } from '../../../schema/values/money.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import { activateTag } from '../../../services/registry/tags.ts';
import type { SumsFragment, UsageTotalQuery } from '../../generated/graphql/graphql.ts';
import { UsageTotalDocument } from '../../generated/graphql/graphql.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';
import { changeOf } from '../../harness/registry.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const query = print(UsageTotalDocument);
type Report = UsageTotalQuery['usage'];

async function report(tenant: TestTenant, variables: Record<string, unknown>): Promise<Report> {
  const answer = await api.ask<UsageTotalQuery>(tenant.adminKey, query, { groupBy: [], topN: 10, ...variables });
  expect(answer.errors).toBeUndefined();
  if (answer.data == null) throw new Error('no report');
  return answer.data.usage;
}

const day = Date.parse('2026-11-20T00:00:00Z');
const keys = Array.from({ length: 4 }, (_none, index) => mintUuid(day, Buffer.alloc(10, index + 1)));
const some = (index: number) => [null, keys[index], keys[index + 1]] as const;
/** Any one or two different dimensions, in any order. */
const aGrouping = fc.uniqueArray(
  fc.constantFrom('API_KEY', 'TEAM', 'USER', 'SERVICE_ACCOUNT', 'MODEL', 'PROVIDER', 'ROUTE', 'OUTCOME', 'TAG'),
  { maxLength: 2 },
);
const anEntry = fc.record({
  minute: fc.integer({ min: 0, max: 179 }),
  key: fc.integer({ min: 0, max: 3 }),
  model: fc.constantFrom('sim/echo', 'sim/slow', 'openai/gpt-5', 'openai/o5', 'acme/one', 'acme/two'),
  outcome: fc.constantFrom('succeeded' as const, 'failed' as const, 'cancelled' as const),
  cost: fc.option(fc.bigInt({ min: 0n, max: 10n ** 20n }), { nil: null }),
  output: fc.option(fc.bigInt({ min: 0n, max: 10n ** 9n }), { nil: null }),
  tag: fc.constantFrom('search', 'chat', null),
  team: fc.constantFrom(...some(0)),
  user: fc.constantFrom(...some(1)),
  serviceAccount: fc.constantFrom(...some(2)),
  route: fc.constantFrom(...some(0)),
  milliseconds: fc.double({ min: 0, max: 60_000, noNaN: true }),
});
type Entry = typeof anEntry extends fc.Arbitrary<infer Value> ? Value : never;

const toEntry = (organizationId: string, entry: Entry): LedgerEntryInsert =>
  usageEntry(organizationId, {
    occurred_at: new Date(day + entry.minute * 60_000),
    api_key_id: keys[entry.key] ?? '',
    model: entry.model,
    provider: entry.model.split('/')[0] ?? '',
    outcome: entry.outcome,
    team_id: entry.team ?? null,
    user_id: entry.user ?? null,
    service_account_id: entry.serviceAccount ?? null,
    route_id: entry.route ?? null,
    cost: entry.cost,
    unrated: entry.cost === null ? 'unknown_model' : null,
    tokens_output: entry.output,
    tags: entry.tag === null ? {} : { feature: entry.tag },
    total_ms: entry.milliseconds,
  });

/** What a report says of an entry in each dimension: the id or the name, null where it has none. */
const valueIn: Readonly<Record<string, (entry: LedgerEntryInsert) => string | null>> = {
  API_KEY: (entry) => idFromUuid('apiKey', entry.api_key_id),
  TEAM: (entry) => (entry.team_id === null ? null : idFromUuid('team', entry.team_id)),
  USER: (entry) => (entry.user_id === null ? null : idFromUuid('user', entry.user_id)),
  SERVICE_ACCOUNT: (entry) => (entry.service_account_id === null ? null : idFromUuid('serviceAccount', entry.service_account_id)),
  MODEL: (entry) => entry.model,
  PROVIDER: (entry) => entry.provider,
  ROUTE: (entry) => (entry.route_id === null ? null : idFromUuid('route', entry.route_id)),
  OUTCOME: (entry) => entry.outcome,
  TAG: (entry) => entry.tags.feature ?? null,
};

interface Plain {
  readonly requests: bigint;
  readonly cost: bigint;
  readonly output: bigint | null;
  readonly unrated: bigint;
}
const plain = (sums: SumsFragment): Plain => ({
  requests: BigInt(sums.requests),
  cost: parseUsd(sums.cost.amount),
  output: sums.tokens.output == null ? null : BigInt(sums.tokens.output),
  unrated: BigInt(sums.unrated),
});
const add = (left: Plain, right: Plain): Plain => ({
  requests: left.requests + right.requests,
  cost: left.cost + right.cost,
  output: left.output === null ? right.output : left.output + (right.output ?? 0n),
  unrated: left.unrated + right.unrated,
});
const nothing: Plain = { requests: 0n, cost: 0n, output: null, unrated: 0n };
const total = (sums: readonly SumsFragment[]): Plain => sums.map(plain).reduce(add, nothing);

let tenants = 0;

test('chart, table and total agree with each other and with the entries, however they are grouped', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anEntry, { maxLength: 40 }),
      fc.constantFrom('MINUTE', 'HOUR', 'DAY'),
      aGrouping,
      fc.integer({ min: 1, max: 4 }),
      async (entries, interval, dimensions, topN) => {
        const groupBy = dimensions.map((dimension) => ({ dimension, ...(dimension === 'TAG' ? { tagKey: 'feature' } : {}) }));
        tenants += 1;
        const tenant = await api.makeTenant(`usage-${tenants}`);
        await changeOf(api.database.writer.db, tenant.organizationId, (change) => activateTag(change, { tagKey: 'feature' }));
        const booked = entries.map((entry) => toEntry(tenant.organizationId, entry));
        await book(api.database.writer.db, booked);
        const usage = await report(tenant, { from: '2026-11-20T00:00:00Z', to: '2026-11-20T03:00:00Z', interval, groupBy, topN });

        const expected: Plain = {
          requests: BigInt(entries.length),
          cost: entries.reduce((sum, entry) => sum + (entry.cost ?? 0n), 0n),
          output: entries.some((entry) => entry.output !== null) ? entries.reduce((sum, entry) => sum + (entry.output ?? 0n), 0n) : null,
          unrated: BigInt(entries.filter((entry) => entry.cost === null).length),
        };
        expect(plain(usage.totals)).toEqual(expected);
        expect(total(usage.groups.map((group) => group.totals))).toEqual(expected);
        expect(total(usage.buckets.flatMap((bucket) => (bucket.totals == null ? [] : [bucket.totals])))).toEqual(expected);
        expect(total(usage.buckets.flatMap((bucket) => bucket.series.map((point) => point.totals)))).toEqual(expected);
        for (const bucket of usage.buckets) {
          expect(total(bucket.series.map((point) => point.totals))).toEqual(bucket.totals == null ? nothing : plain(bucket.totals));
        }
        const named = usage.groups.filter((group) => !group.isOther);
        expect(named.length).toBeLessThanOrEqual(topN);
        expect(usage.groups.length - named.length).toBe(usage.truncated ? 1 : 0);
        for (const group of named) {
          const values = group.key.map((part) => part.value ?? null);
          const members = booked.filter((entry) => dimensions.every((dimension, at) => valueIn[dimension]?.(entry) === values[at]));
          expect([values, plain(group.totals).requests]).toEqual([values, BigInt(members.length)]);
          expect(plain(group.totals).cost).toBe(members.reduce((sum, entry) => sum + (entry.cost ?? 0n), 0n));
          const key = JSON.stringify(group.key.map((part) => part.value ?? null));
          const points = usage.buckets.flatMap((bucket) =>
            bucket.series.filter((point) => !point.isOther && JSON.stringify(point.key.map((part) => part.value ?? null)) === key),
          );
          expect(total(points.map((point) => point.totals))).toEqual(plain(group.totals));
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('the groups with the highest cost are named, the rest is one other', async () => {
  const tenant = await api.makeTenant('ranked');
  const costs = [5n, 50n, 20n, 1n].map((usd) => usd * PICO_PER_USD);
  await book(
    api.database.writer.db,
    costs.map((cost, index) => usageEntry(tenant.organizationId, { occurred_at: new Date(day), cost, api_key_id: keys[index] ?? '' })),
  );
  const usage = await report(tenant, {
    from: '2026-11-20T00:00:00Z',
    to: '2026-11-21T00:00:00Z',
    interval: 'DAY',
    groupBy: [{ dimension: 'API_KEY' }],
    topN: 2,
  });
  expect(usage.groups.map((group) => [group.isOther, group.key[0]?.value ?? null, group.totals.cost.amount])).toEqual([
    [false, idFromUuid('apiKey', keys[1] ?? ''), '50'],
    [false, idFromUuid('apiKey', keys[2] ?? ''), '20'],
    [true, null, '6'],
  ]);
  expect(usage.truncated).toBe(true);
});

test('buckets are whole, in UTC and say whether they are over', async () => {
  const tenant = await api.makeTenant('buckets');
  const now = Date.now();
  const usage = await report(tenant, { from: new Date(now - 3_600_000).toISOString(), interval: 'HOUR' });
  expect(usage.buckets.length).toBeGreaterThanOrEqual(2);
  for (const bucket of usage.buckets) expect(bucket.start).toMatch(/T\d\d:00:00\.000000Z$/);
  expect(usage.buckets.map((bucket) => bucket.partial)).toEqual(usage.buckets.map((_bucket, index) => index === usage.buckets.length - 1));
  expect(usage.isPartial).toBe(true);
  expect(usage.totals).toMatchObject({ requests: '0', cost: { amount: '0' }, tokens: { output: null } });
});

test.each([
  ['MINUTE', 1_441 * 60_000],
  ['HOUR', 745 * 3_600_000],
  ['DAY', 401 * 86_400_000],
])('a report by %s has a longest range', async (interval, lengthMs) => {
  const tenant = await api.makeTenant(`long-${interval.toLowerCase()}`);
  const variables = { from: new Date(day).toISOString(), to: new Date(day + lengthMs).toISOString(), interval, groupBy: [], topN: 1 };
  const { errors } = await api.ask(tenant.adminKey, query, variables);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
});
