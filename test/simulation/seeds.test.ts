import { describe, expect, it } from 'vitest';
import { REGRESSIONS } from './regressions.ts';
import { simulate } from './simulate.ts';

const SEEDS = 220;
const SEEDS_A_TEST = 20;
const EVENTS = 3_000;

describe('whatever is done to disks, clocks, network, brokers, database and processes', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_A_TEST) {
    const last = first + SEEDS_A_TEST - 1;
    it(`every call that was made is accounted for once, in order and in full: seeds ${first} to ${last}`, {
      timeout: 180_000,
    }, async () => {
      const broken: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const { breach } = await simulate({ seed, events: EVENTS });
        if (breach !== null) broken.push(`npm run sim -- --seed ${seed} --events ${EVENTS}: ${breach.invariant}: ${breach.detail}`);
      }
      expect(broken).toEqual([]);
    });
  }

  it.each(REGRESSIONS)('what seed $seed found stays mended: $found', { timeout: 60_000 }, async ({ seed, events }) => {
    const { breach } = await simulate({ seed, events });
    expect(breach).toBeNull();
  });
});
