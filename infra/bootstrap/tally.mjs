/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Tally
 * @typedef {{ status?: string, assertionResults?: readonly { status?: string }[] }} FileResult one file in vitest's JSON report.
 * @typedef {{ testResults?: readonly FileResult[] }} VitestReport
 */

/**
 * Counts a vitest run so that nothing that went wrong is left out.
 *
 * A file that could not be loaded counts as one failure, and so does a run that ended badly without naming a failed test: it crashed, found
 * nothing to run, or an error escaped all tests.
 *
 * @param {VitestReport | null} report null when the run left none.
 * @param {number | string} exit the exit code, or the name of the signal that ended it.
 * @returns {Tally}
 */
export function tallyVitest(report, exit) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const tests = file.assertionResults ?? [];
    for (const test of tests) {
      if (test.status === 'passed') tally.passed += 1;
      else if (test.status === 'failed') tally.failed += 1;
      else tally.skipped += 1;
    }
    if (file.status === 'failed' && !tests.some((test) => test.status === 'failed')) tally.failed += 1;
  }
  const ranNothing = tally.passed + tally.failed === 0;
  if ((exit !== 0 || ranNothing) && tally.failed === 0) tally.failed += 1;
  return tally;
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
export function sumTallies(tallies) {
  return tallies.reduce(
    (sum, { passed, failed, skipped }) => ({ passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped }),
    {
      passed: 0,
      failed: 0,
      skipped: 0,
    },
  );
}

/**
 * The last line of `npm test`, which machines read.
 *
 * @param {Tally} tally
 * @returns {string}
 */
export function tallyLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
