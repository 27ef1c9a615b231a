import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'yaml';
import { isMap, LineCounter, parseAllDocuments } from 'yaml';
import type { ConfigDocument, ConfigKind } from '../../../schema/config/document.ts';
import { CONFIG_API_VERSION, CONFIG_KINDS } from '../../../schema/config/document.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { rangeStart, yamlMistakes } from '../../runtime/yaml-mistakes.ts';

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

type Outcome =
  | { readonly kind: 'valid'; readonly document: ConfigDocument }
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

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
  return { kind: 'invalid', mistakes: yamlMistakes({ parsed, schema, errors: check.Errors(value), lineOf }) };
}

function isKind(kind: unknown): kind is ConfigKind {
  return typeof kind === 'string' && Object.hasOwn(CONFIG_KINDS, kind);
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
