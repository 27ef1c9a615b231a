import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSampled } from '../../../../services/api/live/request-tail.ts';

test('a sample has about its share, is the same for everybody, and holds every smaller sample', () => {
  const ids = Array.from({ length: 4_000 }, () => randomUUID());
  const tenth = ids.filter((id) => isSampled(id, 0.1));
  const half = ids.filter((id) => isSampled(id, 0.5));
  expect(tenth.length).toBeGreaterThan(280);
  expect(tenth.length).toBeLessThan(520);
  expect(half).toEqual(expect.arrayContaining(tenth));
  expect(ids.filter((id) => isSampled(id, 1))).toHaveLength(4_000);
});
