/** A seed that failed once. */
export interface Regression {
  readonly seed: number;
  readonly events: number;
  /** What was wrong, and where. */
  readonly found: string;
  /** ISO date on which it was mended. */
  readonly mended: string;
}

/**
 * Every seed that ever found something, for `npm test` to replay. A world that is given new faults leads its seeds elsewhere: then
 * the entry keeps what was found, names a seed that finds it now (see the mutation of the same name), and the direct test stays.
 */
export const REGRESSIONS: readonly Regression[] = [
  {
    // First found by seed 159 of a world whose disks were never slow.
    seed: 4_677,
    events: 3_000,
    found: 'a process killed between a failed sync and its remedy left bytes in the cache alone, which its successor shipped',
    mended: '2026-11-21',
  },
  {
    seed: 11,
    events: 3_000,
    found: 'two relocations of a failing spool beside each other took for durable what was written after the first',
    mended: '2026-11-21',
  },
];
