import { expect, test } from 'vitest';
import { mostTries, nextTryAfterMs } from '../../../../services/registry/alerts/retry-schedule.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';

const random = (fraction: number) => ({ ...systemRandom, fraction: () => fraction });
const hourMs = 3_600_000;
const waits = (fraction: number) =>
  Array.from({ length: mostTries }, (_, index) => nextTryAfterMs(index + 1, mostTries, null, random(fraction)));

test('a message has eight tries, the last of them after 24 hours or up to a tenth less', () => {
  const sum = (ms: readonly (number | null)[]) => ms.reduce((all: number, one) => all + (one ?? 0), 0);
  expect(mostTries).toBe(8);
  expect(waits(0).at(-1)).toBeNull();
  expect(waits(0).filter((ms) => ms === null)).toHaveLength(1);
  expect(sum(waits(0))).toBe(24 * hourMs);
  expect(sum(waits(0.999_999))).toBeGreaterThan(21.59 * hourMs);
});

test('each wait is longer than the one before, whatever chance takes away', () => {
  const [longest, shortest] = [waits(0).slice(0, -1), waits(0.999_999).slice(0, -1)];
  for (let index = 1; index < longest.length; index++) expect(shortest[index] ?? 0).toBeGreaterThan(longest[index - 1] ?? 0);
});

test('what a receiver asks for is waited for, up to six hours, and never less than our own wait', () => {
  expect(nextTryAfterMs(1, mostTries, 90_000, random(0))).toBe(90_000);
  expect(nextTryAfterMs(1, mostTries, 48 * hourMs, random(0))).toBe(6 * hourMs);
  expect(nextTryAfterMs(7, mostTries, 1_000, random(0))).toBeGreaterThan(15 * hourMs);
});

test('a message that is worth one try has no second, whatever is asked for', () => {
  expect(nextTryAfterMs(1, 1, 90_000, random(0))).toBeNull();
});
