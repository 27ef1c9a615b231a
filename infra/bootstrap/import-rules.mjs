// Checks the direction of imports: `node infra/bootstrap/import-rules.mjs [root]`. The rules are in .dependency-cruiser.cjs.
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runCommand } from './run-command.mjs';

const ownRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const folders = ['schema', 'services', 'infra', 'test'];
const deadlineMs = 120_000;

/**
 * @typedef {{ from: string, to: string, rule: { name: string } }} Violation
 * @typedef {{ modules: readonly { source: string }[], summary: { violations: readonly Violation[] } }} CruiseReport
 */

/**
 * What is wrong with the imports of a report, one line each; empty when all is well.
 *
 * A source file that was not seen is a problem of its own: under TypeScript 7, for instance, dependency-cruiser reads no TypeScript at all
 * and finds nothing wrong with it.
 *
 * @param {CruiseReport} report
 * @param {readonly string[]} sources the files that must have been seen, relative, with forward slashes.
 * @returns {string[]}
 */
export function importProblems(report, sources) {
  const seen = new Set(report.modules.map((module) => module.source));
  const unseen = sources.filter((source) => !seen.has(source)).map((source) => `${source} was not seen`);
  if (sources.length === 0) unseen.push('there is no source file to see');
  return [...unseen, ...report.summary.violations.map(({ from, to, rule }) => `${from} may not import ${to} (${rule.name})`)];
}

/**
 * @param {string} root
 * @returns {Promise<{ problems: string[], seen: number }>}
 * @throws {Error} when dependency-cruiser gives no report.
 */
export async function checkImports(root) {
  const sources = folders.flatMap((folder) => sourcesIn(root, folder));
  const present = [...folders, 'codegen.ts'].filter((name) => readdirSync(root).includes(name));
  const cruiser = join(ownRoot, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...present];
  const { exit, output } = await runCommand(process.execPath, args, { cwd: root, deadlineMs, outputLimitBytes: Number.POSITIVE_INFINITY });
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    throw new Error(`dependency-cruiser ended with ${exit} and no report:\n${output}`);
  }
  return { problems: importProblems(report, sources), seen: sources.length };
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sourcesIn(root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  const files = entries.map((entry) => `${folder}/${entry.replaceAll('\\', '/')}`);
  return files.filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith('.d.ts') && !file.startsWith('test/fixtures/'));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { problems, seen } = await checkImports(resolve(process.argv[2] ?? ownRoot));
  process.stdout.write(problems.length === 0 ? `${seen} modules seen\n` : `${problems.join('\n')}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
