/** Where time comes from. Passed in, so that tests and the simulation decide what time it is. */
export type Clock = {
  /** Wall-clock time in milliseconds since the Unix epoch: for what is written down. */
  readonly now: () => number;
  /** Milliseconds that only ever grow, from an arbitrary origin: for measuring how long something took. */
  readonly monotonic: () => number;
};

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
