import { expect, test } from 'vitest';
import { restartVerdict } from '../../../../services/cli/start/restart-policy.ts';

const minute = 60_000;

test('the third death within a minute stops everything', () => {
  expect(restartVerdict([0, 30_000, minute - 1])).toEqual({ kind: 'stop-everything' });
  expect(restartVerdict([0, 30_000, minute]).kind).toBe('restart');
});

test('the wait doubles from 200 ms to 5 s as long as no minute passes without a death', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((deaths) => restartVerdict(Array.from({ length: deaths }, (_, index) => index * 40_000)));
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000].map((afterMs) => ({ kind: 'restart', afterMs })));
});

test('after a minute of life the wait begins anew', () => {
  expect(restartVerdict([0, 40_000, 40_000 + minute])).toEqual({ kind: 'restart', afterMs: 200 });
});
