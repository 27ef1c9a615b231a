import type { PeerSettings } from './targets/peer.ts';

/** How much of everything; from the command line. */
export type RunOptions = {
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly warmUpSeconds: number;
  /** Another gateway to be put under the same load, and the port it finds the upstream at; null = none. */
  readonly peer: PeerSettings | null;
  /** For a person who waits. */
  readonly onProgress: (line: string) => void;
};

/** What a workload found. */
export type Report = {
  readonly workload: string;
  readonly title: string;
  /** What it was measured with and on, line by line. */
  readonly conditions: readonly string[];
  /** A header and rows, as they stand in the README. */
  readonly table: readonly (readonly string[])[];
  /** Why the run does not count: wrong answers, entries missing in the ledger. Empty: it counts. */
  readonly problems: readonly string[];
  /** Every figure of every round, for machines. */
  readonly figures: unknown;
};

/** One row of the protocol's table (reference: performance, section 5). Each is a file of `workloads/`. */
export type Workload = {
  readonly name: string;
  readonly title: string;
  readonly run: (options: RunOptions) => Promise<Report>;
  /** Samples the gateway under this load. @returns its costliest functions, for a person. */
  readonly profile: (options: RunOptions) => Promise<string>;
};
