import type { Scheduler } from './scheduler.ts';

/** Where virtual time 0 lies: 2026-11-21T12:00:00Z. */
export const EPOCH_MS = Date.UTC(2026, 10, 21, 12);

/** The wall clock of one machine: off by something, running too fast or too slow, and set right (or wrong) by jumps. */
export interface MachineClock {
  now(): number;
  /** Moves it by this much at once, in either direction. */
  jump(byMs: number): void;
  /** How far it is off. */
  readonly offsetMs: number;
}

/** @param drift seconds gained a second. */
export function createMachineClock(scheduler: Scheduler, offsetMs: number, drift: number): MachineClock {
  let offset = offsetMs;
  const off = (): number => offset + scheduler.now() * drift;
  return {
    now: () => Math.floor(EPOCH_MS + scheduler.now() + off()),
    jump: (byMs) => {
      offset += byMs;
    },
    get offsetMs() {
      return off();
    },
  };
}
