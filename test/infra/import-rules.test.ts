import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkImports, importProblems } from '../../infra/bootstrap/import-rules.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'turnpike import rules-'));
  for (const file of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json']) copyFileSync(join(root, file), join(project, file));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}

/** Importer, what it imports (a path from the root, or a package), and the rule that refuses it. */
const forbidden: readonly (readonly [from: string, to: string, rule: string])[] = [
  ['schema/values/money.ts', '/services/runtime/clock.ts', 'schema-imports-nothing-of-ours'],
  ['schema/events/topics.ts', 'node:fs', 'schema-does-no-io'],
  ['schema/values/money.ts', '/schema/errors.ts', 'values-stand-first'],
  ['schema/events/topics.ts', '/schema/graphql/key.ts', 'graphql-stands-last'],
  ['schema/graphql/key.ts', '/schema/tables/api-key.table.ts', 'graphql-reaches-data-through-ports'],
  ['schema/graphql/key.ts', 'kysely', 'graphql-reaches-data-through-ports'],
  ['services/pricing/rate.ts', '/services/journal/append.ts', 'libraries-stand-alone'],
  ['services/journal/append.ts', '/services/registry/keys.ts', 'libraries-stand-alone'],
  ['services/runtime/boot.ts', '/services/eventlog/spool.ts', 'libraries-stand-alone'],
  ['services/registry/keys.ts', '/services/pricing/rate.ts', 'registry-uses-only-runtime-and-journal'],
  ['services/eventlog/spool.ts', '/services/ledger/post.ts', 'libraries-know-no-process'],
  ['services/proxy/relay.ts', '/services/ledger/post.ts', 'processes-never-meet-in-code'],
  ['services/cli/start.ts', '/services/simulator/books.ts', 'processes-never-meet-in-code'],
  ['services/proxy/relay.ts', '/services/proxy/main.ts', 'nothing-imports-a-main'],
  ['test/proxy.test.ts', '/services/proxy/main.ts', 'nothing-imports-a-main'],
  ['services/proxy/relay.ts', '/test/harness/seed.ts', 'product-knows-no-test'],
  ['services/proxy/relay.ts', '/infra/bootstrap/verbs.mjs', 'product-knows-no-infrastructure'],
  ['infra/bootstrap/run.mjs', 'fastify', 'bootstrap-needs-nothing-installed'],
  ['infra/bootstrap/run.mjs', '/schema/errors.ts', 'bootstrap-needs-only-itself'],
  ['services/registry/keys.ts', 'pg', 'only-importer-of-pg'],
  ['services/proxy/relay.ts', 'ws', 'only-importer-of-ws'],
  ['services/eventlog/spool.ts', 'kafkajs', 'only-importer-of-kafkajs'],
  ['services/proxy/relay.ts', 'fast-check', 'product-uses-no-development-dependency'],
  ['services/proxy/relay.ts', 'ajv', 'dependencies-are-declared'],
  ['services/proxy/relay.ts', './gone.ts', 'imports-resolve'],
];

const allowed: readonly (readonly [from: string, to: string])[] = [
  ['services/registry/keys.ts', '/services/journal/append.ts'],
  ['services/pricing/rate.ts', '/services/runtime/clock.ts'],
  ['services/proxy/relay.ts', '/services/pricing/rate.ts'],
  ['services/runtime/postgres.ts', 'pg'],
  ['services/api/websocket.ts', 'ws'],
  ['services/eventlog/kafka/producer.ts', 'kafkajs'],
  ['test/harness/client.ts', 'ws'],
];

/** Writes a file that imports another one, which is made too when it is ours. */
function writeImport(from: string, to: string): void {
  if (to.startsWith('/')) write(to.slice(1), 'export const it = 1;\n');
  const up = '../'.repeat(from.split('/').length - 1);
  write(from, `import * as it from '${to.startsWith('/') ? up + to.slice(1) : to}';\nexport const mine = it;\n`);
}

test('each forbidden import is refused by its rule', async () => {
  // One importer a case, all in one project: dependency-cruiser takes half a second however little it reads.
  const cases = forbidden.map(([from, to, rule], index) => ({ from: from.replace(/(\.\w+)$/, `-${index}$1`), to, rule }));
  for (const { from, to } of cases) writeImport(from, to);
  const { problems } = await checkImports(project);
  for (const { from, to, rule } of cases) {
    const refusals = problems.filter((problem) => problem.startsWith(`${from} may not import `));
    expect(refusals, `${from} imports ${to}`).toContainEqual(expect.stringContaining(`(${rule})`));
  }
});

test('what the design allows is allowed', async () => {
  for (const [from, to] of allowed) writeImport(from, to);
  expect((await checkImports(project)).problems).toEqual([]);
});

test('a type import is held to the same rules', async () => {
  write('services/ledger/post.ts', 'export type Entry = string;\n');
  write('services/proxy/relay.ts', "import type { Entry } from '../ledger/post.ts';\nexport type Mine = Entry;\n");
  expect((await checkImports(project)).problems).toEqual([
    'services/proxy/relay.ts may not import services/ledger/post.ts (processes-never-meet-in-code)',
  ]);
});

test('the API may know the shape of a row', async () => {
  write('schema/tables/team.table.ts', 'export interface TeamTable { id: string }\n');
  write(
    'schema/graphql/team.ts',
    "import type { Selectable } from 'kysely';\nimport type { TeamTable } from '../tables/team.table.ts';\nexport type Row = Selectable<TeamTable>;\n",
  );
  expect((await checkImports(project)).problems).toEqual([]);
});

test('two files that import each other are refused', async () => {
  write('services/proxy/one.ts', "import { two } from './two.ts';\nexport const one = () => two;\n");
  write('services/proxy/two.ts', "import { one } from './one.ts';\nexport const two = () => one;\n");
  expect((await checkImports(project)).problems).toContainEqual(expect.stringContaining('(no-cycles)'));
});

test('a source file that was not seen is a problem, and so is seeing none', () => {
  const report = { modules: [{ source: 'schema/errors.ts' }], summary: { violations: [] } };
  expect(importProblems(report, ['schema/errors.ts'])).toEqual([]);
  expect(importProblems(report, ['schema/errors.ts', 'services/a.ts'])).toEqual(['services/a.ts was not seen']);
  expect(importProblems({ modules: [], summary: { violations: [] } }, [])).toEqual(['there is no source file to see']);
});
