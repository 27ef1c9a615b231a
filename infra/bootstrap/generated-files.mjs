// Checks that the generated files are what codegen.ts makes of the sources: `node infra/bootstrap/generated-files.mjs`.
// It runs codegen.ts in a copy of the tree, so that a check changes nothing, whatever codegen.ts writes.
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runCommand } from './run-command.mjs';

const ownRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const deadlineMs = 120_000;
/** What codegen.ts reads and writes. */
const copied = ['docs', 'schema', 'services', 'migrations', 'test', 'codegen.ts', 'package.json', 'tsconfig.json'];
/** The printed contracts must be there and be made anew: they are taken out of the copy before codegen.ts runs. */
const contracts = /^(schema\.graphql|asyncapi\.(json|yaml))$/;

/**
 * What differs between the files before and after generating, one line each.
 *
 * @param {ReadonlyMap<string, string>} before content hashes by path, as they stand in the tree.
 * @param {ReadonlyMap<string, string>} after
 * @returns {string[]}
 */
export function driftBetween(before, after) {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const drift = paths.flatMap((path) => {
    if (!before.has(path)) return [`${path} is generated but not in the tree`];
    if (!after.has(path)) return [`${path} is no longer generated`];
    return before.get(path) === after.get(path) ? [] : [`${path} is not what codegen.ts makes`];
  });
  for (const [what, name] of [
    ['SDL', /(^|\/)schema\.graphql$/],
    ['AsyncAPI document', /(^|\/)asyncapi\.(json|yaml)$/],
  ]) {
    if (!paths.some((path) => new RegExp(name ?? '').test(path))) drift.push(`codegen.ts makes no ${what}`);
  }
  return drift;
}

/**
 * @param {string} root
 * @returns {Promise<string[]>} the drift, one line a file.
 */
export async function checkGeneratedFiles(root) {
  const copy = mkdtempSync(join(tmpdir(), 'turnpike-generate-'));
  try {
    for (const name of copied) {
      try {
        cpSync(join(root, name), join(copy, name), { recursive: true });
      } catch (error) {
        if (name === 'codegen.ts') return ['codegen.ts is missing'];
        throw error;
      }
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const before = hashes(copy);
    for (const path of before.keys()) if (contracts.test(basename(path))) rmSync(join(copy, path));
    const { exit, output } = await runCommand(process.execPath, ['codegen.ts'], { cwd: copy, deadlineMs });
    if (exit !== 0) return [`codegen.ts ended with ${exit}`, output.trimEnd()];
    return driftBetween(before, hashes(copy));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @returns {Map<string, string>}
 */
function hashes(folder) {
  const found = new Map();
  for (const name of copied) {
    const top = join(folder, name);
    const files = statSync(top).isDirectory()
      ? readdirSync(top, { recursive: true, encoding: 'utf8' }).map((entry) => join(top, entry))
      : [top];
    for (const file of files) {
      if (!statSync(file).isFile()) continue;
      found.set(relative(folder, file).replaceAll(sep, '/'), createHash('sha256').update(readFileSync(file)).digest('hex'));
    }
  }
  return found;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const drift = await checkGeneratedFiles(ownRoot);
  process.stdout.write(drift.length === 0 ? 'as generated\n' : `${drift.join('\n')}\n`);
  process.exitCode = drift.length === 0 ? 0 : 1;
}
