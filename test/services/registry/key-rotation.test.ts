import { expect, test } from 'vitest';
import { RegistryError } from '../../../services/registry/change.ts';
import { scheduleAfter } from '../../../services/registry/key-rotation.ts';

const dayMs = 86_400_000;
const before = { rotateEveryMs: 30 * dayMs, rotateWithinMs: 7 * dayMs };

test.each([
  ['rotateEvery', { rotateEveryMs: 3_599_000 }],
  ['rotateEvery', { rotateEveryMs: 401 * dayMs }],
  ['rotateEvery', { rotateEveryMs: 3_600_001 }],
  ['rotateWithin', { rotateWithinMs: 401 * dayMs }],
  ['rotateWithin', { rotateWithinMs: -1_000 }],
  ['rotateWithin', { rotateWithinMs: 1 }],
  ['rotateWithin', { rotateEveryMs: null, rotateWithinMs: dayMs }],
])('a schedule that cannot be is refused by its field %s', (field, asked) => {
  let refusal: unknown;
  try {
    scheduleAfter(before, asked);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(RegistryError);
  expect(refusal).toMatchObject({ code: 'invalid', path: [field] });
});

test('what an update leaves out stays, and a deadline goes with its interval', () => {
  expect(scheduleAfter(before, {})).toEqual(before);
  expect(scheduleAfter(before, { rotateEveryMs: dayMs })).toEqual({ rotateEveryMs: dayMs, rotateWithinMs: 7 * dayMs });
  expect(scheduleAfter(before, { rotateWithinMs: null })).toEqual({ rotateEveryMs: 30 * dayMs, rotateWithinMs: null });
  expect(scheduleAfter(before, { rotateWithinMs: 0 })).toEqual({ rotateEveryMs: 30 * dayMs, rotateWithinMs: 0 });
  expect(scheduleAfter(before, { rotateEveryMs: null })).toEqual({ rotateEveryMs: null, rotateWithinMs: null });
});
