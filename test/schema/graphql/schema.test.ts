import { readFileSync } from 'node:fs';
import { getNamedType, isInputObjectType, isInterfaceType, isNonNullType, isObjectType, isScalarType } from 'graphql';
import { expect, test } from 'vitest';
import { createSchema, printSdl } from '../../../schema/graphql/schema.ts';

const schema = createSchema();
const outputTypes = Object.values(schema.getTypeMap()).filter(
  (type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'),
);
const fieldsOf = () =>
  outputTypes.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields()).map((field) => ({ path: `${type.name}.${field.name}`, field }))
      : [],
  );

test('the committed SDL is what the types print', () => {
  expect(printSdl(schema)).toBe(readFileSync(new URL('../../../schema/graphql/schema.graphql', import.meta.url), 'utf8'));
});

test('nothing that is returned is a Float: money least of all', () => {
  expect(fieldsOf().filter(({ field }) => getNamedType(field.type).name === 'Float')).toEqual([]);
  const money = schema.getType('Money');
  expect(isObjectType(money) && String(money.getFields().amount?.type)).toBe('Decimal!');
});

test('every field that says cost, amount, spend or price is money, a decimal, a name or a list of them', () => {
  const said = fieldsOf().filter(({ path, field }) => /cost|amount|usd|spend/i.test(field.name) && !/^RateLimitStatus\./.test(path));
  expect(said.length).toBeGreaterThan(3);
  for (const { path, field } of said)
    expect([path, getNamedType(field.type).name]).toEqual([path, expect.stringMatching(/^(Money|Decimal)$/)]);
});

test('every connection asks for a page and offers nodes', () => {
  const connections = fieldsOf().filter(({ field }) => getNamedType(field.type).name.endsWith('Connection'));
  expect(connections.length).toBeGreaterThanOrEqual(8);
  for (const { path, field } of connections) {
    expect([path, field.args.map((arg) => arg.name)]).toEqual([path, expect.arrayContaining(['first', 'last', 'after', 'before'])]);
    const type = getNamedType(field.type);
    expect([path, isObjectType(type) && 'nodes' in type.getFields()]).toEqual([path, true]);
  }
});

test('every mutation takes one input and answers with the common payload', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  expect(mutations.length).toBeGreaterThanOrEqual(11);
  for (const field of mutations) {
    expect([field.name, field.args.map((arg) => arg.name)]).toEqual([field.name, ['input']]);
    expect(field.name).toMatch(
      /^[a-z]+([A-Z][a-z]+)?(Create|Update|Archive|Rotate|Revoke|Activate|Deactivate|Verify|Set|End|EndGrace|Raise|Reset|Retry|TopUp|Discard|Release|DeclareLost|Test|Redeliver)$/,
    );
    const payload = getNamedType(field.type);
    expect([field.name, isObjectType(payload) && payload.getInterfaces().map((type) => type.name)]).toEqual([
      field.name,
      ['MutationPayload'],
    ]);
    const input = field.args[0] === undefined ? undefined : getNamedType(field.args[0].type);
    if (!isInputObjectType(input)) throw new Error(`${field.name} takes no input object`);
    const guard = input.getFields().idempotencyKey ?? input.getFields().expectedVersion;
    expect([field.name, guard !== undefined && isNonNullType(guard.type)]).toEqual([field.name, true]);
  }
});

test('every stream has the same three control messages and every data event a cursor', () => {
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const union = schema.getType(getNamedType(field.type).name);
    const members = union !== undefined && 'getTypes' in union ? union.getTypes().map((type) => type.name) : [];
    expect(members).toEqual(expect.arrayContaining(['StreamHeartbeat', 'StreamGap', 'StreamEnd']));
    expect(field.args.map((arg) => arg.name)).toContain('after');
    for (const name of members.filter((member) => !member.startsWith('Stream'))) {
      const type = schema.getType(name);
      expect([name, isObjectType(type) && String(type.getFields().cursor?.type)]).toEqual([name, 'Cursor!']);
    }
  }
});

test('every scalar of ours says what it is', () => {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isScalarType(type)) expect([type.name, type.description?.length ?? 0]).toEqual([type.name, expect.any(Number)]);
  }
});
