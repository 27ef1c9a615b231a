/** When batches are looked after; tests make them short. */
export interface BatchTimes {
  /** How often a proxy asks whether a batch is due. */
  readonly watchMs: number;
  /** How long a batch is one proxy's to look after; longer than its output takes to be read. */
  readonly claimMs: number;
  /** When a batch whose making nobody confirmed is looked for, and until when. */
  readonly makingMs: number;
  readonly makingMostMs: number;
  /** How often a running batch is asked for: after a tenth of its age within these. */
  readonly runningLeastMs: number;
  readonly runningMostMs: number;
  /** When the ledger has what was handed over. */
  readonly bookedMs: number;
  /** Between failures, doubling. */
  readonly retryFirstMs: number;
  readonly retryMostMs: number;
}

export const DEFAULT_BATCH_TIMES: BatchTimes = {
  watchMs: 5_000,
  claimMs: 900_000,
  makingMs: 60_000,
  makingMostMs: 900_000,
  runningLeastMs: 30_000,
  runningMostMs: 600_000,
  bookedMs: 15_000,
  retryFirstMs: 30_000,
  retryMostMs: 3_600_000,
};
