/** A fault as it was done. Times are from the beginning of the load. */
export type FaultDone = {
  readonly atMs: number;
  readonly untilMs: number;
  readonly what: string;
  readonly where: string;
  readonly hit: number | null;
  readonly skipped: string | null;
};
