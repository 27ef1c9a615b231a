import { expect, test } from 'vitest';
import { driftBetween } from '../../../infra/bootstrap/generated-files.mjs';

const committed = new Map([
  ['schema/graphql/schema.graphql', 'a'],
  ['schema/events/asyncapi.json', 'b'],
  ['test/e2e/generated/graphql.ts', 'c'],
]);

test('no drift when generating changes nothing', () => {
  expect(driftBetween(committed, new Map(committed))).toEqual([]);
});

test('a changed, a new and a no longer generated file are each named', () => {
  const after = new Map([...committed, ['schema/graphql/schema.graphql', 'changed'], ['test/e2e/generated/new.ts', 'd']]);
  after.delete('schema/events/asyncapi.json');
  expect(driftBetween(committed, after)).toEqual([
    'schema/events/asyncapi.json is no longer generated',
    'schema/graphql/schema.graphql is not what codegen.ts makes',
    'test/e2e/generated/new.ts is generated but not in the tree',
  ]);
});

test('a generator that makes no contract at all is not taken for one without drift', () => {
  expect(driftBetween(new Map(), new Map())).toEqual(['codegen.ts makes no SDL', 'codegen.ts makes no AsyncAPI document']);
});
