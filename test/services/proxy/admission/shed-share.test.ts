import { expect, test } from 'vitest';
import { nextShedShare } from '../../../../services/proxy/admission/shed-share.ts';

const bound = 500;
/** The share after looks that found the loop that late, one after the other, the first after a look that found it in time. */
const after = (share: number, delaysMs: readonly number[]): number =>
  delaysMs.reduce((current, delayMs, index) => nextShedShare(current, delayMs, delaysMs[index - 1] ?? 0, bound), share);

test('a loop within its bound refuses nobody', () => {
  expect(after(0, [0, 499, 500, 12])).toBe(0);
});

test('one pause, however long, refuses nobody', () => {
  expect(after(0, [0, 20_000])).toBe(0);
  expect(after(0, [0, 20_000, 0, 20_000, 0])).toBe(0);
});

test('a lasting overload refuses more and more, the sooner the later the loop is, and never all', () => {
  expect(after(0, [600, 600, 600])).toBeCloseTo(0.24);
  expect(after(0, [1_500, 1_500, 1_500, 1_500])).toBeCloseTo(0.9);
  expect(
    after(
      0,
      Array.from({ length: 100 }, () => 5_000),
    ),
  ).toBe(0.9);
});

test('between half of the bound and the bound the share stands, so that it does not swing', () => {
  expect(nextShedShare(0.4, 300, 500, bound)).toBe(0.4);
  expect(nextShedShare(0.4, 2_000, 260, bound)).toBe(0.4);
});

test('once the load has left, the share is gone within half a second of looks', () => {
  expect(after(0.9, [0, 0, 0, 0, 0])).toBe(0);
});
