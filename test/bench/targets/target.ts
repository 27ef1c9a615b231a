import type { LoadJob } from '../load/load-job.ts';

/** Something that is put under load: the upstream itself, the bare pass-through, the gateway, a peer. */
export type Target = {
  readonly name: string;
  /** The process whose CPU is counted; null: none, it is only a reference for latency. */
  readonly pid: number | null;
  readonly request: Pick<LoadJob, 'origin' | 'path' | 'headers' | 'body'>;
  /**
   * Waits until all that was accepted is accounted for. @returns null, or what is missing.
   * `requests` is the number sent to it since it was started.
   */
  readonly settle: (requests: number) => Promise<string | null>;
  readonly stop: () => Promise<void>;
};
