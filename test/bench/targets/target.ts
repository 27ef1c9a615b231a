import type { LoadJob } from '../load/load-job.ts';
import type { ProcessUsage } from '../process-usage.ts';

/** What every answer has to be, besides its status: to the byte, or at least to contain. Null takes anything. */
export type ExpectedAnswer = Pick<LoadJob, 'expectedBody' | 'expectedText'>;

/** Something that is put under load: the upstream itself, the bare pass-through, the gateway, a peer. */
export type Target = {
  readonly name: string;
  /** What its processes used so far; null: it is not counted, or nobody said which they are. */
  readonly usage: (() => Promise<ProcessUsage>) | null;
  readonly request: Pick<LoadJob, 'origin' | 'path' | 'headers' | 'body'>;
  readonly expected: ExpectedAnswer;
  /**
   * Waits until all that was accepted is accounted for. @returns null, or what is missing.
   * `requests` is the number sent to it since it was started.
   */
  readonly settle: (requests: number) => Promise<string | null>;
  readonly stop: () => Promise<void>;
};
