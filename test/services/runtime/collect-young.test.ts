import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { collectYoung } from '../../../services/runtime/collect-young.ts';

const MADE = 10_000;
/** Less than a tenth of what so many arrays take. */
const LITTLE_BYTES = 100_000;

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_used_size ?? 0;
}

describe('collecting what is young', () => {
  test('leaves nothing young: what is alive has grown old by the second time, and the rest is gone', () => {
    const made = Array.from({ length: MADE }, (_, index) => [index, 'young', {}]);
    expect(made).toHaveLength(MADE);
    collectYoung();
    collectYoung();
    expect(youngBytes()).toBeLessThan(LITTLE_BYTES);
  });

  test('shows nobody the function it does it with', () => {
    collectYoung();
    expect('gc' in globalThis).toBe(false);
  });
});
