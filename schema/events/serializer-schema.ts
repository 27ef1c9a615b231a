import type { Schema } from 'fast-json-stringify';

/**
 * What fast-json-stringify compiles best from a TypeBox schema: it would validate every union with a JSON Schema engine at
 * each call (tens of microseconds), so `T | null` becomes `nullable` and a union of literals a plain string. Bounds are left
 * out: the value has passed its check before it is serialized.
 * @throws {TypeError} for a schema that has no such form.
 */
export function serializerSchema(schema: unknown): Schema {
  const node = record(schema);
  if (Array.isArray(node.anyOf)) return unionSchema(node.anyOf);
  switch (node.type) {
    case 'object':
      return objectSchema(node);
    case 'array':
      return { type: 'array', items: serializerSchema(node.items) };
    case 'number':
      return Number.isInteger(node.const) ? { type: 'integer' } : { type: 'number' };
    case 'string':
    case 'integer':
    case 'boolean':
      return { type: node.type };
    default:
      throw new TypeError(`No serializer for a schema of type ${String(node.type)}`);
  }
}

function unionSchema(members: readonly unknown[]): Schema {
  const others = members.map(record).filter((member) => member.type !== 'null');
  const nullable = others.length < members.length;
  const [only] = others;
  if (others.length === 1 && only !== undefined) return { ...serializerSchema(only), nullable } as Schema;
  // `Literal | Literal | …`, or a nullable union of them one level down.
  if (others.every((member) => member.type === 'string' && 'const' in member)) return { type: 'string', nullable };
  throw new TypeError('No serializer for a union other than `T | null` and string literals');
}

function objectSchema(node: Readonly<Record<string, unknown>>): Schema {
  const patterns = node.patternProperties;
  if (patterns !== undefined) {
    const [values] = Object.values(record(patterns));
    return { type: 'object', additionalProperties: serializerSchema(values) };
  }
  const properties = Object.entries(record(node.properties)).map(([name, property]) => [name, serializerSchema(property)]);
  const required = Array.isArray(node.required) ? node.required.map(String) : [];
  return { type: 'object', properties: Object.fromEntries(properties), required };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('A schema is an object');
  return value as Readonly<Record<string, unknown>>;
}
