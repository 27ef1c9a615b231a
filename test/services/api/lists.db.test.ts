import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EntryRow } from '../../../schema/graphql/ports/journal-reads.ts';
import type { RequestFilter } from '../../../schema/graphql/ports/request-filter.ts';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { entryColumns } from '../../../services/api/reads/journal-reads.ts';
import { requestFilterSql } from '../../../services/api/reads/request-filter-sql.ts';
import { matchesRequestFilter } from '../../../services/api/request-filter-match.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';

let api: TestApi;
let tenant: TestTenant;
const day = Date.parse('2026-11-20T00:00:00Z');
const keys = [1, 2, 3].map((seed) => mintUuid(day, Buffer.alloc(10, seed)));
const models = ['sim/echo', 'sim/slow', null] as const;

beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('lists');
  const entries = Array.from({ length: 120 }, (_none, index) =>
    usageEntry(tenant.organizationId, {
      // Many share an instant: ties must not be lost at the edge of a page.
      occurred_at: new Date(day + Math.floor(index / 9) * 1_000),
      api_key_id: keys[index % 3] ?? '',
      team_id: index % 4 === 0 ? (keys[0] ?? '') : null,
      model: models[index % models.length] ?? null,
      stream: index % 2 === 0,
      cost: index % 5 === 0 ? null : BigInt(index),
      unrated: index % 5 === 0 ? 'unknown_model' : null,
      outcome: index % 7 === 0 ? 'failed' : 'succeeded',
      error_code: index % 7 === 0 ? 'upstream_error' : null,
      tags: index % 3 === 0 ? { feature: index % 2 === 0 ? 'a' : 'b' } : {},
    }),
  );
  await book(api.database.writer.db, entries);
});
afterAll(() => api[Symbol.asyncDispose]());

interface Listed {
  readonly requests: {
    readonly nodes: readonly { readonly id: string }[];
    readonly pageInfo: {
      readonly hasNextPage: boolean;
      readonly hasPreviousPage: boolean;
      readonly endCursor: string | null;
      readonly startCursor: string | null;
    };
  };
}

async function list(args: string): Promise<Listed['requests']> {
  const answer = await api.ask<Listed>(
    tenant.adminKey,
    `{ requests(${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
  );
  expect([args, answer.errors]).toEqual([args, undefined]);
  if (answer.data == null) throw new Error('no list');
  return answer.data.requests;
}

test.each([
  ['DESC', 7],
  ['ASC', 7],
  ['DESC', 9],
  ['ASC', 100],
])('pages in order %s of %i, forwards and backwards, hold every row once and in order', async (direction, size) => {
  const order = `orderBy: [{ field: OCCURRED_AT, direction: ${direction} }]`;
  const forwards: string[] = [];
  for (let cursor: string | null = null, more = true; more; ) {
    const page = await list(`first: ${size}, ${order}${cursor === null ? '' : `, after: "${cursor}"`}`);
    forwards.push(...page.nodes.map((node) => node.id));
    expect(page.pageInfo.hasPreviousPage).toBe(cursor !== null);
    cursor = page.pageInfo.endCursor;
    more = page.pageInfo.hasNextPage;
  }
  expect(new Set(forwards).size).toBe(120);
  expect(forwards).toHaveLength(120);
  const backwards: string[] = [];
  for (let cursor: string | null = null, more = true; more; ) {
    const page = await list(`last: ${size}, ${order}${cursor === null ? '' : `, before: "${cursor}"`}`);
    backwards.unshift(...page.nodes.map((node) => node.id));
    cursor = page.pageInfo.startCursor;
    more = page.pageInfo.hasPreviousPage;
  }
  expect(backwards).toEqual(forwards);
  const rows = await api.database.writer.db
    .selectFrom('ledger_entries')
    .select('entry_id')
    .orderBy('occurred_at', direction === 'ASC' ? 'asc' : 'desc')
    .orderBy('entry_id', direction === 'ASC' ? 'asc' : 'desc')
    .execute();
  expect(forwards).toEqual(rows.map((row) => idFromUuid('request', row.entry_id)));
});

test.each([
  ['without a size', ''],
  ['with two sizes', 'first: 1, last: 1'],
  ['of none', 'first: 0'],
  ['beyond 100', 'first: 101'],
  ['after what is no cursor', 'first: 1, after: "x"'],
])('a page %s is refused', async (_what, args) => {
  const { errors } = await api.ask(tenant.adminKey, `{ requests${args === '' ? '' : `(${args})`} { nodes { id } } }`);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('a cursor is good for its own list, filter and order only', async () => {
  const { pageInfo } = await list('first: 1');
  for (const args of ['first: 1, filter: { stream: true }', 'first: 1, orderBy: [{ field: OCCURRED_AT, direction: ASC }]']) {
    const { errors } = await api.ask(tenant.adminKey, `{ requests(${args}, after: "${pageInfo.endCursor}") { nodes { id } } }`);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  }
});

test('a filter has a depth and a size', async () => {
  const deep = (levels: number): string => (levels === 0 ? 'stream: true' : `not: { ${deep(levels - 1)} }`);
  expect((await list(`first: 1, filter: { ${deep(3)} }`)).nodes).toHaveLength(1);
  for (const filter of [deep(4), `or: [${'{ stream: true } '.repeat(21)}]`]) {
    const { errors } = await api.ask(tenant.adminKey, `{ requests(first: 1, filter: { ${filter} }) { nodes { id } } }`);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  }
});

const aFilter = fc.letrec<{ filter: RequestFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('stream' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('rated' as const), value: fc.boolean() }),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constantFrom('apiKeyId' as const, 'teamId' as const),
      values: fc.subarray(keys),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constant('model' as const),
      values: fc.subarray(['sim/echo', 'sim/slow', 'none/such']),
    }),
    fc.record({ kind: fc.constant('text' as const), field: fc.constant('outcome' as const), values: fc.subarray(['failed', 'succeeded']) }),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constant('errorCode' as const),
      values: fc.subarray(['upstream_error', 'x']),
    }),
    fc.record({
      kind: fc.constant('occurredAt' as const),
      from: fc.option(fc.integer({ min: 0, max: 15 }).map((seconds) => new Date(day + seconds * 1_000))),
      to: fc.option(fc.integer({ min: 0, max: 15 }).map((seconds) => new Date(day + seconds * 1_000))),
    }),
    fc.record({ kind: fc.constant('tag' as const), key: fc.constantFrom('feature', 'none'), values: fc.option(fc.subarray(['a', 'b'])) }),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), parts: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), part: tie('filter') }),
  ),
})).filter;

test('a filter means the same of a stored request as of a live one', async () => {
  const { db } = api.database.writer;
  const rows: EntryRow[] = await db.selectFrom('ledger_entries').select(entryColumns).execute();
  await fc.assert(
    fc.asyncProperty(aFilter, async (filter) => {
      const stored = await db.selectFrom('ledger_entries').select('entry_id').where(requestFilterSql(filter)).execute();
      const live = rows.filter((row) => matchesRequestFilter(filter, row));
      expect(stored.map((row) => row.entry_id).sort()).toEqual(live.map((row) => row.entry_id).sort());
    }),
    { numRuns: 150 },
  );
  expect((await sql<{ rows: bigint }>`select count(*) as rows from ledger_entries`.execute(db)).rows[0]?.rows).toBe(120n);
});
