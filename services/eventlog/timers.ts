/** When code runs later. Passed in with the clock, so that the simulation owns time. */
export interface Timers {
  /** Once this turn of the event loop has handled what was ready. Used to gather what one turn wrote. */
  endOfTurn(run: () => void): void;
  /** After `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** The event loop's own timers. */
export const systemTimers: Timers = {
  endOfTurn: (run) => {
    setImmediate(run);
  },
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. */
export function pause(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}
