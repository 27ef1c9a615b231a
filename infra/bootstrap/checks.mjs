import { runCommand } from './run-command.mjs';

/** Each check alone takes seconds; one that takes this long hangs. */
const deadlineMs = 180_000;
/** At a time: types and lint use both cores by themselves for a moment, the others one each. */
const atOnce = 2;

/**
 * Each check: what it is called, the Node arguments that run it, and what to do when it fails.
 *
 * @type {readonly { name: string, args: readonly string[], remedy: string }[]}
 */
const checks = [
  {
    name: 'generated files',
    args: ['infra/bootstrap/generated-files.mjs'],
    remedy: 'run `npm run gen`, look at what changed in the contracts, and commit it',
  },
  {
    name: 'import rules',
    args: ['infra/bootstrap/import-rules.mjs'],
    remedy: 'each rule says its reason in .dependency-cruiser.cjs; what needs two libraries belongs in a process',
  },
  {
    name: 'types',
    // TypeScript 7 checks the same as 6 in a fifth of the time; 6 stays installed for the tools that read its API.
    args: ['node_modules/typescript-7/bin/tsc', '--noEmit', '--pretty', 'false', '-p', '.'],
    remedy: 'mend the types; no `any`, no `@ts-ignore`',
  },
  {
    name: 'format and lint',
    args: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '--max-diagnostics=50', '.'],
    remedy: 'run `npx biome check --write .`, then mend what it leaves',
  },
  {
    name: 'dead code',
    args: ['node_modules/knip/bin/knip.js', '--no-progress'],
    remedy: 'remove what nothing uses, in code and in package.json',
  },
];

/**
 * @typedef {object} CheckResult
 * @property {string} name
 * @property {string | null} problem what it said; null when all is well.
 */

/**
 * Runs all checks, whatever each one finds, reporting each as it ends.
 *
 * @param {string} root
 * @param {(line: string) => void} report
 * @returns {Promise<CheckResult[]>}
 */
export async function runChecks(root, report) {
  const startedAt = performance.now();
  /** @type {CheckResult[]} */
  const results = [];
  const waiting = [...checks];
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { exit, output, durationMs } = await runCommand(process.execPath, check.args, { cwd: root, deadlineMs });
      const seconds = `${(durationMs / 1000).toFixed(1)} s`;
      if (exit === 0) {
        report(`ok    ${check.name.padEnd(16)} ${seconds.padStart(6)}`);
        results.push({ name: check.name, problem: null });
      } else {
        const problem = `${output.trimEnd()}${typeof exit === 'string' ? `\n(ended: ${exit})` : ''}`;
        report(`FAIL  ${check.name.padEnd(16)} ${seconds.padStart(6)}\n\n${problem}\n\n  to do: ${check.remedy}\n`);
        results.push({ name: check.name, problem });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const failed = results.filter((result) => result.problem !== null).length;
  const total = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  report(failed === 0 ? `all ${results.length} checks hold, ${total}` : `${failed} of ${results.length} checks failed, ${total}`);
  return results;
}
