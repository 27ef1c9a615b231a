import { randomBytes } from 'node:crypto';

/** Where randomness comes from. Passed in, so that a test or the simulation can repeat a run from a seed. */
export type Random = {
  /** `length` unpredictable bytes. */
  readonly bytes: (length: number) => Buffer;
  /** A number in [0, 1): for jitter and sampling, never for secrets. */
  readonly fraction: () => number;
};

/** The operating system's generator. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => Math.random(),
};
