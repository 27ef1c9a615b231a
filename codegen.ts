// Writes what is generated from the contracts: the SDL, the AsyncAPI document, the page of snippets, and the typed documents of the
// operations that tests send. `node codegen.ts` writes; `node codegen.ts --check` only compares, and ends with 1 where something differs.

import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import type { GraphQLSchema } from 'graphql';
import { parse } from 'graphql';
import { renderAsyncApi } from './schema/events/asyncapi.ts';
import { createSchema, printSdl } from './schema/graphql/schema.ts';
import { renderSnippetsPage } from './services/cli/snippet/snippets-page.ts';

const root = dirname(fileURLToPath(import.meta.url));
const documentsFolder = 'test/generated/graphql/';

/** What our scalars are in JSON. */
const scalars = {
  ID: 'string',
  DateTime: 'string',
  Date: 'string',
  Duration: 'string',
  Decimal: 'string',
  BigInt: 'string',
  Cursor: 'string',
  JSON: 'unknown',
};

async function readOperations() {
  const paths: string[] = [];
  for await (const path of glob('test/**/*.graphql', { cwd: root })) paths.push(path);
  return Promise.all(
    paths.sort().map(async (location) => {
      const rawSDL = await readFile(join(root, location), 'utf8');
      return { location, rawSDL, document: parse(rawSDL, { noLocation: true }) };
    }),
  );
}

async function typedDocuments(schema: GraphQLSchema): Promise<{ path: string; text: string }[]> {
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: documentsFolder,
    schema: parse(printSdl(schema)),
    schemaAst: schema,
    documents: await readOperations(),
    config: { scalars, strictScalars: true, useTypeImports: true, enumType: 'string-literal', importExtension: '.ts' },
    plugins: [],
    pluginMap: {},
    presetConfig: { fragmentMasking: false },
  });
  return Promise.all(sections.map(async (section) => ({ path: section.filename, text: await codegen(section) })));
}

const schema = createSchema();
const generated = [
  { path: 'schema/graphql/schema.graphql', text: printSdl(schema) },
  { path: 'schema/events/asyncapi.json', text: renderAsyncApi() },
  { path: 'docs/snippets.md', text: renderSnippetsPage() },
  ...(await typedDocuments(schema)),
];

const differing: string[] = [];
for (const { path, text } of generated) {
  const file = join(root, path);
  if (existsSync(file) && (await readFile(file, 'utf8')) === text) continue;
  differing.push(path);
  if (process.argv.includes('--check')) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
for (const path of differing) process.stdout.write(`${path}\n`);
if (process.argv.includes('--check') && differing.length > 0) process.exitCode = 1;
