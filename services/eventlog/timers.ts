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

/** Resolves after `delayMs`, or as soon as `signal` is aborted. */
export function pause(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      signal?.removeEventListener('abort', end);
      cancel();
      resolve();
    };
    const cancel = timers.after(delayMs, end);
    signal?.addEventListener('abort', end);
  });
}
