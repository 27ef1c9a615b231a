import type { Clock } from '../../runtime/clock.ts';

/** The distance between wall clock and monotonic clock may move by this much before it is asked whether the machine slept. */
const DISTANCE_MS = 1_000;

/**
 * Milliseconds that only grow and do not stand while the machine is suspended (reference/leases.md section 8): the monotonic clock stops then, and a
 * fence that waits for it would never close. The time since boot runs on, but costs 6 µs to read, so it is read only when the wall clock has
 * moved against the monotonic one.
 * @param uptimeMs time since the machine's boot.
 */
export function createLeaseClock(clock: Clock, uptimeMs: () => number): () => number {
  let distance = clock.now() - clock.monotonic();
  let monotonicAt = clock.monotonic();
  let uptimeAt = uptimeMs();
  let slept = 0;
  return () => {
    const monotonic = clock.monotonic();
    const moved = clock.now() - monotonic - distance;
    if (moved > DISTANCE_MS || moved < -DISTANCE_MS) {
      const uptime = uptimeMs();
      slept += Math.max(0, uptime - uptimeAt - (monotonic - monotonicAt));
      uptimeAt = uptime;
      monotonicAt = monotonic;
      distance += moved;
    }
    return monotonic + slept;
  };
}
