import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDurationMs } from '../../../schema/values/duration.ts';

test('every whole number of milliseconds comes back from its text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (milliseconds) => parseDurationMs(formatDuration(milliseconds)) === milliseconds),
  );
});

test.each([
  ['PT30S', 30_000],
  ['PT1M30.5S', 90_500],
  ['P1DT1H', 90_000_000],
  ['P2W', 1_209_600_000],
  ['PT0S', 0],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDurationMs(text)).toBe(milliseconds);
});

test.each(['', 'P', 'PT', 'P1M', 'P1Y', '30s', 'PT-1S', 'P1DT', 'PT1S1M'])('%j is no duration of fixed length', (text) => {
  expect(parseDurationMs(text)).toBeNull();
});
