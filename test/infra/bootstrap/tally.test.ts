import { expect, test } from 'vitest';
import { sumTallies, tallyLine, tallyVitest } from '../../../infra/bootstrap/tally.mjs';

const passing = { status: 'passed', assertionResults: [{ status: 'passed' }, { status: 'passed' }, { status: 'pending' }] };
const failing = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };
const unloadable = { status: 'failed', assertionResults: [] };

test('each test counts once', () => {
  expect(tallyVitest({ testResults: [passing, failing] }, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 });
});

test('a file that cannot be loaded is a failure', () => {
  expect(tallyVitest({ testResults: [passing, unloadable] }, 1)).toEqual({ passed: 2, failed: 1, skipped: 1 });
});

test.each([
  ['crashed without a report', null, 'SIGSEGV'],
  ['ran nothing', { testResults: [] }, 0],
  ['ran out of time', null, 'timeout'],
  ['only skipped', { testResults: [{ status: 'passed', assertionResults: [{ status: 'skipped' }] }] }, 0],
  ['ended badly though all tests passed', { testResults: [passing] }, 1],
])('a run that %s is a failure', (_what, report, exit) => {
  expect(tallyVitest(report, exit).failed).toBe(1);
});

test('the last line names skipped tests only when there are some', () => {
  expect(tallyLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(
    tallyLine(
      sumTallies([
        { passed: 5, failed: 1, skipped: 0 },
        { passed: 2, failed: 0, skipped: 3 },
      ]),
    ),
  ).toBe('7 passed, 1 failed, 3 skipped');
});
