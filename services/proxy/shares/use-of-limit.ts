/** What requests of one process use of a limit, by the process's own clock. */
export interface UseOfLimit {
  used(now: number): bigint;
  /** @returns where it was written down, for {@link settle}. */
  add(amount: bigint, now: number): number;
  /** A request that was counted with `amount` is over and used `cost`. */
  settle(mark: number, amount: bigint, cost: bigint, now: number): void;
  /** After how many milliseconds this much is free again, if nothing is added; infinite where time alone frees nothing. */
  freeIn(amount: bigint, now: number): number;
}
