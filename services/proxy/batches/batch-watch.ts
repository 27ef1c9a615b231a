import { idFromUuid } from '../../../schema/values/ids.ts';
import { backoffMs } from '../../eventlog/backoff.ts';
import type { Timers } from '../../eventlog/timers.ts';
import { pause } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { BatchRecords, ClaimedBatch } from './batch-records.ts';
import type { BatchTimes } from './batch-times.ts';
import type { SettleBatch } from './settle-batch.ts';

export interface BatchWatchOptions {
  readonly records: Pick<BatchRecords, 'claim' | 'fail'>;
  readonly settle: SettleBatch;
  readonly times: BatchTimes;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Counts a batch that could not be brought on. */
  readonly onFailure: () => void;
}

/** Looks after the batches of all proxies, one at a time: each is claimed first, so that only one process is at it. */
export interface BatchWatch {
  start(): void;
  /** Some may be due now. */
  wake(): void;
  /** Takes no other, and waits for the one in hand, at most until the deadline. */
  stop(deadlineMs: number): Promise<void>;
}

export function createBatchWatch({ records, settle, times, timers, random, log, onFailure }: BatchWatchOptions): BatchWatch {
  const stopping = new AbortController();
  let resting = new AbortController();
  let running: Promise<void> | null = null;
  let isAway = false;

  const fail = async (batch: ClaimedBatch, error: unknown): Promise<void> => {
    onFailure();
    const retryMs = backoffMs(batch.failures + 1, { firstMs: times.retryFirstMs, mostMs: times.retryMostMs }, random);
    log.warn(
      { error, batchId: batch.id, requestId: idFromUuid('request', batch.requestId), failures: batch.failures + 1, retryMs },
      'a batch could not be settled; trying again',
    );
    await records.fail(batch, error instanceof Error ? error.message : String(error), retryMs);
  };

  /** False where none is due. */
  const next = async (): Promise<boolean> => {
    const batch = await records.claim(times.claimMs);
    isAway = false;
    if (batch === null) return false;
    try {
      await settle(batch);
    } catch (error) {
      await fail(batch, error);
    }
    return true;
  };

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      resting = new AbortController();
      try {
        if (await next()) continue;
      } catch (error) {
        if (!isAway) log.warn({ error }, 'PostgreSQL does not tell which batches are due');
        isAway = true;
      }
      await pause(timers, times.watchMs, AbortSignal.any([resting.signal, stopping.signal]));
    }
  };

  return {
    start: () => {
      running ??= watch();
    },
    wake: () => resting.abort(),
    stop: async (deadlineMs) => {
      stopping.abort();
      const over = new AbortController();
      await Promise.race([running?.then(() => over.abort()), pause(timers, deadlineMs, over.signal)]);
    },
  };
}
