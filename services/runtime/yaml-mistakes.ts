import type { TLocalizedValidationError } from 'typebox/error';
import type { Document } from 'yaml';
import { isMap, isNode } from 'yaml';

/** What is wrong with a YAML document, for a person who has the file open. Values are not shown: they may be secrets. */
export type CheckedDocument = {
  readonly parsed: Document.Parsed;
  /** The JSON Schema it was checked against; its descriptions say what was expected. */
  readonly schema: unknown;
  readonly errors: readonly TLocalizedValidationError[];
  /** `file:line` of an offset in the file. */
  readonly lineOf: (offset: number | undefined) => string;
};

/** One line a field: where it stands, its path and what was expected there. */
export function yamlMistakes({ parsed, schema, errors, lineOf }: CheckedDocument): readonly string[] {
  const mistakes = new Map<string, string>();
  const note = (field: readonly string[], place: readonly string[], text: string): void => {
    mistakes.set(field.join('.'), `${lineOf(rangeStart(parsed, place))}: ${field.join('.') || 'the document'}: ${text}`);
  };
  const noteMissing = (path: readonly string[], names: readonly string[]): void => {
    for (const missing of names) {
      const field = [...path, missing];
      note(field, path, `missing; expected ${expectedAt(schema, field)}`);
    }
  };
  for (const error of errors) {
    const path = error.instancePath
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (error.keyword === 'additionalProperties') {
      for (const unknown of error.params.additionalProperties) {
        const field = [...path, unknown];
        note(field, field, `unknown field; expected ${fieldsAt(schema, path).join(', ')}`);
      }
    } else if (error.keyword === 'required') {
      noteMissing(path, error.params.requiredProperties);
    } else if (error.keyword === 'if') {
      // What a condition asks for is told of the condition alone.
      noteMissing(
        path,
        requiredThen(schema, path).filter((name) => !parsed.hasIn([...path, name])),
      );
    } else if (error.keyword !== 'boolean' && !mistakes.has(path.join('.'))) {
      note(path, path, `expected ${expectedAt(schema, path)}`);
    }
  }
  return [...mistakes.values()];
}

/** Where the deepest part of a path that exists begins, so that a missing field points at its parent. */
export function rangeStart(parsed: Document.Parsed, path: readonly string[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const prefix = path.slice(0, length);
    const parent = length === 1 ? parsed.contents : parsed.getIn(prefix.slice(0, -1), true);
    // The key, not the value: that is the line a person looks for.
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === prefix.at(-1)) : undefined;
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0];
    const node = parsed.getIn(prefix, true);
    if (isNode(node)) return node.range?.[0];
  }
  return parsed.contents?.range[0];
}

/** A member of a JSON Schema node, which is plain JSON of unknown shape to us. */
function member(node: unknown, name: string): unknown {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? Reflect.get(node, name) : undefined;
}

/** The schema of the value at a path; below a union the union itself, since nobody can say which branch was meant. */
function schemaAt(schema: unknown, path: readonly string[]): unknown {
  let node = schema;
  for (const part of path) {
    const next = member(member(node, 'properties'), part) ?? member(node, 'items');
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** The fields that the condition of the schema at a path makes necessary. */
function requiredThen(schema: unknown, path: readonly string[]): readonly string[] {
  const names = member(member(schemaAt(schema, path), 'then'), 'required');
  return Array.isArray(names) ? names.map(String) : [];
}

function fieldsAt(schema: unknown, path: readonly string[]): string[] {
  const node = schemaAt(schema, path);
  const fields = member(node, 'properties');
  return typeof fields === 'object' && fields !== null ? Object.keys(fields) : [expectedAt(schema, path)];
}

function expectedAt(schema: unknown, path: readonly string[]): string {
  const node = schemaAt(schema, path);
  const description = member(node, 'description');
  if (typeof description === 'string') return description;
  const constant = member(node, 'const');
  if (constant !== undefined) return JSON.stringify(constant);
  const fields = member(node, 'properties');
  if (typeof fields === 'object' && fields !== null) return `a map with ${Object.keys(fields).join(', ')}`;
  return String(member(node, 'type') ?? 'another value');
}
