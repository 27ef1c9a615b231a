import { expect, test } from 'vitest';
import { parseCommandLine } from './command-line.ts';

const parse = (...args: string[]) => parseCommandLine(args, () => 42);

test('a run has a length, a seed and a rate, each with a default', () => {
  expect(parse()).toEqual({ kind: 'chaos', loadMs: 180_000, seed: 42, ratePerSecond: 20, out: null });
  expect(parse('--minutes', '10', '--seed', '7', '--rate', '50', '--out', '/tmp/x')).toEqual({
    kind: 'chaos',
    loadMs: 600_000,
    seed: 7,
    ratePerSecond: 50,
    out: '/tmp/x',
  });
});

test('an outage has a length and a rate', () => {
  expect(parse('--outage', '10m', '--rate', '500')).toEqual({ kind: 'outage', outageMs: 600_000, ratePerSecond: 500, out: null });
});

test('dollars are spent for a length of time, by a seed', () => {
  expect(parse('--budget', '--minutes', '10', '--seed', '7')).toEqual({ kind: 'budget', forMs: 600_000, seed: 7 });
  expect(parse('--budget')).toEqual({ kind: 'budget', forMs: 180_000, seed: 42 });
});

test.each([
  ['--budget', '--rate', '5'],
  ['--minutes', 'soon'],
  ['--minutes', '0'],
  ['--seed', '-1'],
  ['--seed', '1.5'],
  ['--outage', '10'],
  ['--outage', '10m', '--seed', '1'],
  ['--rate', '0'],
  ['--wat'],
])('a mistake is named: %s %s', (...args) => {
  expect(parse(...args)).toMatchObject({ kind: 'mistake', fault: expect.stringContaining(args[0] ?? '') });
});
