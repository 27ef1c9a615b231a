import { expect, test } from 'vitest';
import { createLeaseClock } from '../../../../services/proxy/budgets/lease-clock.ts';

test('the clock of leases does not stand while the machine sleeps, whatever the wall clock is set to', () => {
  const machine = { wall: 1_000_000, monotonic: 100, uptime: 5_000, looks: 0 };
  const pass = (ms: number): void => {
    machine.wall += ms;
    machine.monotonic += ms;
    machine.uptime += ms;
  };
  const now = createLeaseClock({ now: () => machine.wall, monotonic: () => machine.monotonic }, () => {
    machine.looks += 1;
    return machine.uptime;
  });
  expect(now()).toBe(100);
  pass(10_000);
  expect([now(), machine.looks]).toEqual([10_100, 1]);
  // The monotonic clock stands; the others run.
  machine.wall += 300_000;
  machine.uptime += 300_000;
  expect([now(), machine.looks]).toEqual([310_100, 2]);
  // Somebody sets the clock, forth and back: no time has passed.
  machine.wall += 3_600_000;
  expect(now()).toBe(310_100);
  machine.wall -= 7_200_000;
  expect(now()).toBe(310_100);
  pass(5);
  expect([now(), machine.looks]).toEqual([310_105, 4]);
});
