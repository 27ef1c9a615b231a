import { systemTimers } from '../eventlog/timers.ts';
import { createBatchWatch } from './batches/batch-watch.ts';
import { createObserveBatch } from './batches/observe-batch.ts';
import type { BatchesOptions } from './batches/serve-batches.ts';
import { batchEndpoints } from './batches/serve-batches.ts';
import type { SettleBatchOptions } from './batches/settle-batch.ts';
import { createSettleBatch } from './batches/settle-batch.ts';
import type { AccountEndpoint } from './endpoints/account-endpoint.ts';
import type { ServedEndpoint } from './endpoints/served-endpoint.ts';
import type { AccountRequestsOptions } from './files/account-requests.ts';
import { createAccountRequests } from './files/account-requests.ts';
import type { FileRecords } from './files/file-records.ts';
import { filesEndpoint } from './files/serve-files.ts';

export interface AccountsOptions
  extends AccountRequestsOptions,
    Omit<SettleBatchOptions, 'records' | 'observe'>,
    Pick<BatchesOptions, 'idempotency'> {
  readonly fileRecords: FileRecords;
  readonly batchRecords: BatchesOptions['records'];
  /** Counts a try to settle a batch that failed. */
  readonly onBatchFailure: () => void;
}

/** What is kept at providers for applications: files and batches, and the watch over what batches cost. */
export interface Accounts {
  readonly endpoints: readonly AccountEndpoint[];
  /** Makes a batch, which is the one thing of them that has a body of JSON. */
  readonly makeBatch: ServedEndpoint;
  start(): void;
  /** Requests under way. */
  active(): number;
  /** Lets requests finish until the deadline, and the batch in hand for as long as its own. */
  stop(deadlineMs: number, batchDeadlineMs: number, hurry: AbortSignal): Promise<void>;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { calls, fileRecords, batchRecords, gate, idempotency, times, random, log, onBatchFailure: onFailure } = options;
  const requests = createAccountRequests(options);
  const observe = createObserveBatch(batchRecords, fileRecords, () => watch.wake());
  const settle = createSettleBatch({ ...options, records: batchRecords, observe });
  const watch = createBatchWatch({ records: batchRecords, settle, times, timers: systemTimers, random, log, onFailure });
  const batches = batchEndpoints({ requests, calls, files: fileRecords, records: batchRecords, observe, gate, idempotency, times, log });
  return {
    endpoints: [filesEndpoint({ requests, calls, records: fileRecords, isOwed: batchRecords.isOwed }), batches.rest],
    makeBatch: batches.make,
    start: watch.start,
    active: requests.active,
    stop: async (deadlineMs, batchDeadlineMs, hurry) => {
      await Promise.all([requests.stop(deadlineMs, hurry), watch.stop(batchDeadlineMs)]);
    },
  };
}
