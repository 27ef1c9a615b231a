// `npm test`: the checks, then every tier of tests; arguments go on to vitest. The last line is `N passed, N failed`, over all of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks.mjs';
import { runCommand, stopCommandsOnSignal } from './run-command.mjs';
import { sumTallies, tallyLine, tallyVitest } from './tally.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Three times what the whole takes on two cores that do nothing else; a run that takes longer hangs. */
const deadlineMs = 45 * 60_000;

stopCommandsOnSignal((signal) => {
  process.stdout.write(`\nstopped by ${signal}\n`);
  process.exit(1);
});

const checks = await runChecks(root, (line) => process.stdout.write(`${line}\n`));
const failed = checks.filter((check) => check.problem !== null);
const tests = await runVitest(process.argv.slice(2)).catch((error) => {
  process.stdout.write(`the tests could not be run: ${error.stack ?? error}\n`);
  return tallyVitest(null, 'not started');
});
const total = sumTallies([{ passed: checks.length - failed.length, failed: failed.length, skipped: 0 }, tests]);
if (failed.length > 0) process.stdout.write(`\nchecks that failed, see above: ${failed.map((check) => check.name).join(', ')}\n`);
process.stdout.write(`\n${tallyLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** @param {readonly string[]} args */
async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-test-'));
  const reportFile = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args];
    const { exit } = await runCommand(process.execPath, vitest, { cwd: root, deadlineMs, show: true });
    if (exit !== 0) process.stdout.write(`vitest ended with ${exit}\n`);
    return tallyVitest(readReport(reportFile), exit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @returns {import('./tally.mjs').VitestReport | null}
 */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
