import type { Timers } from '../../services/eventlog/timers.ts';
import type { Clock } from '../../services/runtime/clock.ts';

/** Time that passes only when it is told to, for tests of what lives in it. */
export interface VirtualTime {
  readonly timers: Timers;
  readonly clock: Clock;
  /** Lets time pass: everything that is due runs at its moment, and what follows from it before the next. */
  advance(byMs: number): Promise<void>;
}

export function createVirtualTime(startMs: number): VirtualTime {
  let nowMs = startMs;
  let due: { readonly atMs: number; readonly run: () => void }[] = [];
  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { atMs: nowMs + delayMs, run };
    due.push(timer);
    return () => {
      due = due.filter((other) => other !== timer);
    };
  };
  // Node empties its queues of promises before it comes to immediates.
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return {
    timers: { endOfTurn: (run) => void after(0, run), after },
    clock: { now: () => nowMs, monotonic: () => nowMs - startMs },
    advance: async (byMs) => {
      const endMs = nowMs + byMs;
      await settle();
      for (;;) {
        const [next] = due.toSorted((left, right) => left.atMs - right.atMs);
        if (next === undefined || next.atMs > endMs) break;
        due = due.filter((other) => other !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
        await settle();
      }
      nowMs = endMs;
    },
  };
}
