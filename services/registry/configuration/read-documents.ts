import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'yaml';
import { isMap, isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { ConfigDocument, ConfigKind } from '../../../schema/config/document.ts';
import { CONFIG_API_VERSION, CONFIG_KINDS } from '../../../schema/config/document.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';

/** A checked document and where it stands, for messages about how documents fit together. */
export interface LocatedDocument {
  readonly document: ConfigDocument;
  /** `file:line`. */
  readonly location: string;
}

/**
 * Reads every YAML document of a file, or of all `*.yaml` and `*.yml` files of a folder in name order.
 * @throws {StartRefusal} listing every mistake at once with file, line, field and what was expected; values are not shown,
 *   because a secret put in the wrong place is a mistake too.
 */
export async function readDocuments(path: string): Promise<LocatedDocument[]> {
  const mistakes: string[] = [];
  const found: LocatedDocument[] = [];
  for (const file of await configurationFiles(path)) {
    const lines = new LineCounter();
    const documents = parseAllDocuments(await readFile(file, 'utf8'), { lineCounter: lines, uniqueKeys: true });
    if (!Array.isArray(documents)) continue;
    for (const parsed of documents) {
      const lineOf = (offset: number | undefined): string => `${file}:${offset === undefined ? 1 : lines.linePos(offset).line}`;
      if (parsed.errors.length > 0) {
        mistakes.push(...parsed.errors.map((error) => `${lineOf(error.pos[0])}: not valid YAML: ${error.message.split('\n')[0]}`));
      } else if (parsed.contents !== null) {
        const outcome = checkDocument(parsed, lineOf);
        if (outcome.kind === 'valid') found.push({ document: outcome.document, location: lineOf(rangeStart(parsed, [])) });
        else mistakes.push(...outcome.mistakes);
      }
    }
  }
  mistakes.push(...duplicates(found));
  if (mistakes.length > 0) {
    throw new StartRefusal(`The configuration has ${mistakes.length} mistake(s):\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
  }
  return found;
}

async function configurationFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw new StartRefusal(`TURNPIKE_CONFIG: ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

type Outcome = { readonly kind: 'valid'; readonly document: ConfigDocument } | { readonly kind: 'invalid'; readonly mistakes: string[] };

function checkDocument(parsed: Document.Parsed, lineOf: (offset: number | undefined) => string): Outcome {
  const at = (path: readonly string[], text: string): string => `${lineOf(rangeStart(parsed, path))}: ${text}`;
  const value: unknown = parsed.toJS();
  const kind: unknown = isMap(parsed.contents) ? parsed.get('kind') : undefined;
  if (!isKind(kind)) {
    const kinds = Object.keys(CONFIG_KINDS).join(', ');
    return {
      kind: 'invalid',
      mistakes: [at(['kind'], `kind: expected one of ${kinds} (documents have apiVersion: ${CONFIG_API_VERSION}, kind, metadata, spec)`)],
    };
  }
  const { check, schema } = CONFIG_KINDS[kind];
  if (check.Check(value)) return { kind: 'valid', document: value };
  const mistakes = new Map<string, string>();
  for (const error of check.Errors(value)) {
    const path = error.instancePath
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (error.keyword === 'additionalProperties') {
      for (const unknown of error.params.additionalProperties) {
        const field = [...path, unknown];
        mistakes.set(field.join('.'), at(field, `${field.join('.')}: unknown field; expected ${fieldsAt(schema, path).join(', ')}`));
      }
    } else if (error.keyword === 'required') {
      for (const missing of error.params.requiredProperties) {
        const field = [...path, missing];
        mistakes.set(field.join('.'), at(path, `${field.join('.')}: missing; expected ${expectedAt(schema, field)}`));
      }
    } else if (error.keyword !== 'boolean' && !mistakes.has(path.join('.'))) {
      mistakes.set(path.join('.'), at(path, `${path.join('.')}: expected ${expectedAt(schema, path)}`));
    }
  }
  return { kind: 'invalid', mistakes: [...mistakes.values()] };
}

function isKind(kind: unknown): kind is ConfigKind {
  return typeof kind === 'string' && Object.hasOwn(CONFIG_KINDS, kind);
}

/** Where the deepest part of a path that exists begins, so that a missing field points at its parent. */
function rangeStart(parsed: Document.Parsed, path: readonly string[]): number | undefined {
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

function duplicates(documents: readonly LocatedDocument[]): string[] {
  const first = new Map<string, string>();
  const mistakes: string[] = [];
  for (const { document, location } of documents) {
    const name = `${document.kind} ${document.metadata.name}`;
    const before = first.get(name);
    if (before === undefined) first.set(name, location);
    else mistakes.push(`${location}: metadata.name: ${name} stands already at ${before}`);
  }
  return mistakes;
}
