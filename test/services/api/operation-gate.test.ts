import { expect, test } from 'vitest';
import { createSchema } from '../../../schema/graphql/schema.ts';
import { createOperationGate } from '../../../services/api/operation-gate.ts';

const schema = createSchema();
const newGate = () => createOperationGate(schema, () => new Date('2026-11-21T00:00:00Z'));
const gate = newGate();

function costOf(query: string, variables: Record<string, unknown> = {}, use = gate): { points: number; nodes: number } {
  const admission = use({ query, variables });
  if (admission.kind === 'refused') throw new Error(admission.errors.map((error) => error.message).join('; '));
  return admission.operation.cost;
}
function refusal(query: string, variables: Record<string, unknown> = {}): string {
  const admission = gate({ query, variables });
  return admission.kind === 'refused' ? String(admission.errors[0]?.extensions.code) : 'admitted';
}

test('a page costs what it asks for, as literal and as variable, in any order, on a warm cache', () => {
  const query = 'query Q($n: Int!) { requests(first: $n) { nodes { id } } }';
  for (const order of [
    [1, 100],
    [100, 1],
  ]) {
    const fresh = newGate();
    for (const n of order) expect(costOf(query, { n }, fresh)).toMatchObject({ points: 1 + n, nodes: n });
  }
  expect(costOf('{ requests(first: 100) { nodes { id } } }')).toMatchObject({ points: 101, nodes: 100 });
  expect(costOf('query Q($n: Int!) { requests(first: $n) { nodes { id } } }', { n: 1_000_000 }).points).toBeGreaterThan(1_000_000);
});

test('a page multiplies what hangs on each of its nodes, and a variable with a default counts', () => {
  expect(costOf('{ requests(last: 10) { edges { cursor node { id apiKey { id team { id } } } } pageInfo { endCursor } } }')).toMatchObject({
    points: 1 + 1 + 10 * 4,
    nodes: 10,
  });
  expect(costOf('query Q($n: Int = 50) { apiKeys(first: $n) { nodes { id } } }').points).toBe(51);
});

test('what is skipped costs nothing, what is included does', () => {
  const query = 'query Q($deep: Boolean!) { requests(first: 100) { nodes { id apiKey @include(if: $deep) { id } } } }';
  expect(costOf(query, { deep: false }).points).toBe(101);
  expect(costOf(query, { deep: true }).points).toBe(201);
});

test('a count costs 25 and a report what it has to send', () => {
  expect(costOf('{ teams(first: 1) { count { value } } }').points).toBe(1 + 25 + 1);
  const range = 'range: { from: "2026-10-01T00:00:00Z", to: "2026-11-01T00:00:00Z" }';
  expect(costOf(`{ usage(${range}, interval: HOUR, topN: 50) { totals { requests } } }`).points).toBeGreaterThan(300);
  expect(costOf(`{ usage(${range}, interval: DAY, topN: 1) { totals { requests } } }`).points).toBeLessThan(30);
});

test('fragments that spread each other many times are costed in no time', () => {
  const depth = 40;
  const fragments = Array.from({ length: depth }, (_none, index) =>
    index === depth - 1
      ? `fragment F${index} on Viewer { permissions }`
      : `fragment F${index} on Viewer { ...F${index + 1} ...F${index + 1} }`,
  );
  const startedAt = performance.now();
  expect(costOf(`{ viewer { ...F0 } } ${fragments.join(' ')}`).points).toBe(1);
  // One by one it would take as long as two to the power of their number: hours.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('`nodes(ids:)` costs a point for each id', () => {
  const ids = Array.from({ length: 100 }, () => 'team_00000000000000000000000000');
  expect(costOf('query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).toMatchObject({ points: 100, nodes: 100 });
  expect(refusal('query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [...ids, ...ids] })).toBe('BAD_USER_INPUT');
});

test.each([
  ['a syntax error', '{', 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ['15,001 characters', `{ __typename } #${'x'.repeat(15_000)}`, 'DOCUMENT_TOO_LARGE'],
  ['2,001 tokens', `{ ${'a '.repeat(2_100)} }`, 'GRAPHQL_PARSE_FAILED'],
  [
    '31 aliases',
    `{ viewer { ${Array.from({ length: 31 }, (_none, index) => `a${index}: permissions`).join(' ')} } }`,
    'DOCUMENT_TOO_LARGE',
  ],
  ['11 root fields', `{ ${'serverInfo { version } '.repeat(11)} }`, 'DOCUMENT_TOO_LARGE'],
  ['11 directives', `{ viewer { ${'permissions @include(if: true) '.repeat(11)} } }`, 'DOCUMENT_TOO_LARGE'],
  ['a list of 101 values', `{ nodes(ids: [${'"a" '.repeat(101)}]) { id } }`, 'DOCUMENT_TOO_LARGE'],
  ['a string of 8,193 characters', `{ node(id: "${'x'.repeat(8_193)}") { id } }`, 'DOCUMENT_TOO_LARGE'],
  ['a cycle of fragments', '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }', 'GRAPHQL_VALIDATION_FAILED'],
  ['11 levels', `{ viewer ${'{ organization '.repeat(10)} { id } ${'}'.repeat(10)} }`, 'DOCUMENT_TOO_LARGE'],
])('%s is refused', (_what, query, code) => {
  expect(refusal(query)).toBe(code);
});

test('more than 5 root mutations are refused', () => {
  const one = 'teamCreate(input: { idempotencyKey: "k", name: "n" }) { replayed }';
  expect(refusal(`mutation { ${Array.from({ length: 6 }, (_none, index) => `m${index}: ${one}`).join(' ')} }`)).toBe('DOCUMENT_TOO_LARGE');
});

test('fragments count for the depth where they are spread, not as levels of their own', () => {
  const query =
    '{ requests(first: 1) { ...A } } fragment A on QueryRequestsConnection { ...B } fragment B on QueryRequestsConnection { nodes { ...C } } fragment C on Request { apiKey { team { id } } }';
  expect(refusal(query)).toBe('admitted');
});

test('the introspection of a tool passes', async () => {
  const { getIntrospectionQuery } = await import('graphql');
  expect(refusal(getIntrospectionQuery())).toBe('admitted');
});

test('variables are bounded before they are coerced, and their errors are few', () => {
  expect(refusal('query Q($id: ID!) { node(id: $id) { id } }', { id: 'x'.repeat(9_000) })).toBe('BAD_USER_INPUT');
  const admission = gate({
    query: 'query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: { ids: Array.from({ length: 50 }, () => null) },
  });
  expect(admission.kind === 'refused' && admission.errors.length).toBeLessThanOrEqual(6);
});
