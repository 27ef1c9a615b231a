/** A schema the simulator cannot satisfy. The message is meant for whoever sent the schema. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

type Schema = Readonly<Record<string, unknown>>;

/** Nesting up to which alternatives are taken in order; deeper, the first that needs no nesting wins, so that recursive schemas end. */
const comfortableDepth = 4;
const maximumDepth = 64;
const maximumNodes = 10_000;
const maximumStringLength = 10_000;

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const numberOr = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback);

function resolve(root: Schema, reference: string): unknown {
  if (!reference.startsWith('#')) throw new SchemaError(`only references within the schema are understood, found ${reference}`);
  let target: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    target = isSchema(target) || Array.isArray(target) ? Reflect.get(target, name) : undefined;
  }
  if (target === undefined) throw new SchemaError(`${reference} points at nothing`);
  return target;
}

/** Formats of which an empty string is no instance. */
const exampleByFormat: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  duration: 'P1D',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

function minimalString(schema: Schema): string {
  const example = typeof schema.format === 'string' ? exampleByFormat[schema.format] : undefined;
  return example ?? 'x'.repeat(Math.min(maximumStringLength, Math.max(0, numberOr(schema.minLength, 0))));
}

function minimalNumber(schema: Schema, whole: boolean): number {
  const step = numberOr(schema.multipleOf, whole ? 1 : 0);
  const minimum = numberOr(schema.minimum, Number.NEGATIVE_INFINITY);
  const above = numberOr(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY);
  const maximum = numberOr(schema.maximum, Number.POSITIVE_INFINITY);
  const below = numberOr(schema.exclusiveMaximum, Number.POSITIVE_INFINITY);
  if (minimum <= 0 && above < 0 && maximum >= 0 && below > 0) return 0;
  const midway = (Math.max(minimum, above) + Math.min(maximum, below)) / 2;
  if (maximum < 0 || below <= 0) {
    const most = Math.min(maximum, below);
    const value = step > 0 ? Math.floor(most / step) * step : most;
    if (value < below) return value;
    return step > 0 ? value - step : Number.isFinite(midway) ? midway : value - 1;
  }
  const least = Math.max(minimum, above);
  const value = step > 0 ? Math.ceil(least / step) * step : least;
  if (value > above) return value;
  return step > 0 ? value + step : Number.isFinite(midway) ? midway : value + 1;
}

function alternatives(schema: Schema): readonly unknown[] | null {
  const list = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(list) && list.length > 0) return list;
  if (!Array.isArray(schema.type)) return null;
  return schema.type.map((type) => ({ ...schema, type }));
}

const needsNesting = (schema: unknown): boolean =>
  isSchema(schema) && (schema.$ref !== undefined || schema.type === 'object' || schema.type === 'array' || schema.anyOf !== undefined);

/** Builds the value; `nodesLeft` bounds its size, since schemas come from clients. */
class InstanceBuilder {
  readonly #root: Schema;
  #nodesLeft = maximumNodes;

  constructor(root: Schema) {
    this.#root = root;
  }

  build(schema: unknown, depth: number): unknown {
    if (depth > maximumDepth || this.#nodesLeft-- <= 0)
      throw new SchemaError('the schema requires a value that is too large, or without end');
    if (!isSchema(schema)) return {};
    if ('const' in schema) return schema.const;
    if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
    if (typeof schema.$ref === 'string') return this.build(resolve(this.#root, schema.$ref), depth + 1);
    if (Array.isArray(schema.allOf)) return this.build(this.#merged(schema, schema.allOf), depth + 1);
    const choices = alternatives(schema);
    if (choices !== null) {
      const simple = depth > comfortableDepth ? choices.find((choice) => !needsNesting(choice)) : undefined;
      return this.build(simple ?? choices[0], depth + 1);
    }
    switch (schema.type) {
      case 'string':
        return minimalString(schema);
      case 'integer':
        return minimalNumber(schema, true);
      case 'number':
        return minimalNumber(schema, false);
      case 'boolean':
        return false;
      case 'null':
        return null;
      case 'array':
        return this.#array(schema, depth);
      default:
        return this.#object(schema, depth);
    }
  }

  #array(schema: Schema, depth: number): unknown {
    const items: unknown[] = [];
    for (let left = numberOr(schema.minItems, 0); left > 0; left--) items.push(this.build(schema.items ?? {}, depth + 1));
    return items;
  }

  #object(schema: Schema, depth: number): unknown {
    const properties = isSchema(schema.properties) ? schema.properties : {};
    return Object.fromEntries(namesIn(schema.required).map((name) => [name, this.build(properties[name] ?? {}, depth + 1)]));
  }

  #merged({ allOf: _, ...own }: Schema, parts: readonly unknown[]): Schema {
    return parts
      .map((part) => (isSchema(part) && typeof part.$ref === 'string' ? resolve(this.#root, part.$ref) : part))
      .filter(isSchema)
      .reduce(merge, own);
  }
}

const namesIn = (list: unknown): readonly string[] => (Array.isArray(list) ? list.filter((name) => typeof name === 'string') : []);

function merge(left: Schema, right: Schema): Schema {
  const properties = { ...(isSchema(left.properties) ? left.properties : {}), ...(isSchema(right.properties) ? right.properties : {}) };
  return { ...left, ...right, properties, required: [...new Set([...namesIn(left.required), ...namesIn(right.required)])] };
}

/**
 * The least value that satisfies a JSON Schema: required properties only, shortest strings and arrays, numbers nearest to 0, first of every
 * choice. Understands what OpenAI's strict mode allows, but not `pattern`.
 * @throws SchemaError on a reference that leads nowhere, or a schema that only an endless value satisfies.
 */
export function minimalInstance(schema: unknown): unknown {
  return new InstanceBuilder(isSchema(schema) ? schema : {}).build(schema, 0);
}
