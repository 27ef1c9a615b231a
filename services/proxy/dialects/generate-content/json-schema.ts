import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import { camelCased } from './either-spelling.ts';

/** Members that hold one schema, several, or several by name. */
const HOLD_ONE = ['items', 'additionalProperties'];
const HOLD_LISTS = ['anyOf', 'oneOf', 'prefixItems'];
const HOLD_NAMED = ['properties', '$defs', 'defs', 'definitions'];
/** Counts that come as texts, being of 64 bits. */
const COUNTS = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'];
/** Formats that only say how wide a number is, or that there are words to choose from, which is said elsewhere. */
const WIDTHS: ReadonlySet<unknown> = new Set(['float', 'double', 'int32', 'int64', 'enum']);

/** A schema of Google's, after OpenAPI, as JSON Schema. */
export function jsonSchemaOf(schema: unknown): unknown {
  return mapSchemas(schema, translated);
}

/**
 * The same schema with no other members than those it names, which is how Google answers by one. Others have to be told.
 */
export function closedSchema(schema: unknown): unknown {
  return mapSchemas(schema, (inner) =>
    isFields(inner.properties) && inner.additionalProperties === undefined ? { ...inner, additionalProperties: false } : inner,
  );
}

/** Whether each object has all the members it names and no other: what OpenAI asks of a schema that it is to be strict about. */
export function isStrictSchema(schema: unknown): boolean {
  let isStrict = true;
  mapSchemas(schema, (inner) => {
    const required: readonly unknown[] = Array.isArray(inner.required) ? inner.required : [];
    const names = isFields(inner.properties) ? Object.keys(inner.properties) : null;
    if (inner.type === 'object' && names === null) isStrict = false;
    if (names !== null && (inner.additionalProperties !== false || !names.every((name) => required.includes(name)))) isStrict = false;
    return inner;
  });
  return isStrict;
}

/** A schema changed, and every schema in it. */
function mapSchemas(schema: unknown, change: (schema: Fields) => Fields): unknown {
  if (!isFields(schema)) return schema;
  const changed = { ...change(schema) };
  for (const name of HOLD_ONE) if (isFields(changed[name])) changed[name] = mapSchemas(changed[name], change);
  for (const name of HOLD_LISTS) {
    const list = changed[name];
    if (Array.isArray(list)) changed[name] = list.map((inner) => mapSchemas(inner, change));
  }
  for (const name of HOLD_NAMED) {
    const named = changed[name];
    if (isFields(named)) {
      changed[name] = Object.fromEntries(Object.entries(named).map(([key, inner]) => [key, mapSchemas(inner, change)]));
    }
  }
  return changed;
}

/** One schema of Google's without those in it. */
function translated(schema: Fields): Fields {
  const { nullable, propertyOrdering, example, type, format, ...rest } = camelCased(schema);
  const told: Record<string, unknown> = {};
  if (typeof type === 'string' && type !== 'TYPE_UNSPECIFIED') told.type = type.toLowerCase();
  else if (Array.isArray(type)) told.type = type;
  Object.assign(told, rest);
  if (format !== undefined && !WIDTHS.has(format)) told.format = format;
  if (example !== undefined) told.examples = [example];
  for (const name of COUNTS) if (typeof told[name] === 'string') told[name] = Number(told[name]);
  if (isFields(told.properties) && Array.isArray(propertyOrdering)) told.properties = ordered(told.properties, propertyOrdering);
  return nullable === true ? withNull(told) : told;
}

function withNull(schema: Fields): Fields {
  const { type, enum: words, anyOf } = schema;
  return {
    ...schema,
    ...(typeof type === 'string' ? { type: [type, 'null'] } : {}),
    ...(Array.isArray(words) ? { enum: [...words, null] } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: [...anyOf, { type: 'null' }] } : {}),
  };
}

/** Members are answered in the order in which they are named. */
function ordered(properties: Fields, ordering: readonly unknown[]): Fields {
  const place = (name: string): number => (ordering.includes(name) ? ordering.indexOf(name) : ordering.length);
  return Object.fromEntries(Object.entries(properties).sort(([left], [right]) => place(left) - place(right)));
}
