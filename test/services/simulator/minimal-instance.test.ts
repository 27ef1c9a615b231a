import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { minimalInstance, SchemaError } from '../../../services/simulator/minimal-instance.ts';

const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.record({ type: fc.constant('string'), minLength: fc.nat(5) }, { requiredKeys: ['type'] }),
    fc
      .integer({ min: -50, max: 50 })
      .chain((minimum) =>
        fc.record(
          { type: fc.constantFrom('integer', 'number'), minimum: fc.constant(minimum), maximum: fc.integer({ min: minimum, max: 60 }) },
          { requiredKeys: ['type'] },
        ),
      ),
    fc.record({ type: fc.constantFrom('integer', 'number'), exclusiveMinimum: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ type: fc.constantFrom('integer', 'number'), exclusiveMaximum: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ type: fc.constantFrom('boolean', 'null') }),
    fc.record({ enum: fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 3 }) }),
    fc.record({ const: fc.oneof(fc.string(), fc.boolean()) }),
    fc.record({ type: fc.constant(['null', 'string']) }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(2) }, { requiredKeys: ['type', 'items'] }),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema'))
      .map((properties) => ({ type: 'object', properties, required: Object.keys(properties).slice(0, 2), additionalProperties: false })),
  ),
}));

test('the instance satisfies its schema', () => {
  fc.assert(
    fc.property(schema, (given) => {
      const value = minimalInstance(given);
      expect(Compile(Object(given)).Check(value), `${JSON.stringify(value)} against ${JSON.stringify(given)}`).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('references, also recursive ones, are followed to an end', () => {
  const tree = {
    $ref: '#/$defs/node',
    $defs: {
      node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } }, required: ['children'] },
    },
  };
  expect(minimalInstance(tree)).toEqual({ children: [] });
  const list = { type: 'object', properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } }, required: ['next'] };
  expect(JSON.stringify(minimalInstance(list))).toMatch(/"next":null/);
});

test('a schema without end, too large, or with a reference to nothing is refused', () => {
  const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
  const bomb = { type: 'array', minItems: 5_000, items: { type: 'array', minItems: 5_000, items: { type: 'string' } } };
  for (const given of [endless, bomb, { $ref: '#/$defs/missing' }, { $ref: 'https://example.com/x' }]) {
    expect(() => minimalInstance(given)).toThrow(SchemaError);
  }
});
