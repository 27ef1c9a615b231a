import type { StoredRecord } from '../../schema/events/log-record.ts';
import type { Timers } from '../eventlog/timers.ts';
import { pause, systemTimers } from '../eventlog/timers.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { BatchOutcome, PartitionSlice } from './batch.ts';
import { postBatch } from './batch.ts';
import { FencedError, isFaultOfData, isRetryable, refusalOf } from './failures.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';
import type { PreparedRecord } from './prepare.ts';
import { deadRecord, prepareRecords } from './prepare.ts';
import { createPriceSheets } from './price-sheets.ts';
import type { LedgerStore } from './store/ledger-store.ts';

export type PosterOptions = {
  readonly store: LedgerStore;
  readonly topic: string;
  readonly clock: Clock;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: LedgerMetrics;
  /** Told after each commit that added entries. */
  readonly onPosted: () => void;
  /** How long a transaction waits for the batches of other partitions to go with it. 15 ms. */
  readonly lingerMs?: number;
};

export type Poster = {
  /**
   * Posts records of one partition, in offset order, and resolves when the transaction that holds them is committed.
   * It tries for as long as the database is away.
   * @throws FencedError when the partition has another owner; nothing was written then.
   */
  readonly post: (partition: number, epoch: bigint, records: readonly StoredRecord[]) => Promise<void>;
  /** What is wrong at the moment, for a person; null while batches go through. */
  readonly trouble: () => string | null;
  /** Gives up on the database: what is not committed is rejected and will be handed out again after the next start. */
  readonly giveUp: () => void;
};

/** Most records of one transaction, unless a single slice brings more. What is below waits for a moment, or for others to go with it. */
const maxRecords = 800;
/**
 * Transactions under way at once: the database works on some while others are encoded, wait for their answer or are synced. This process
 * and the database take about as long for one, so with n of them each is busy n / (n + 1) of the time: four left a fifth of both cores
 * idle. They have no row in common, for a rollup row belongs to one key, a key to one partition, and each partition has one batch under
 * way; and so many fill up only if each takes what one partition brings in a backlog.
 */
export const maxTransactions = 8;
/** Records that are prepared in one turn of the event loop, which takes some 3 ms: longer, and the database would wait for us. */
const recordsPerTurn = 250;
const firstRetryMs = 50;
const longestRetryMs = 5_000;

type Waiting = {
  readonly slice: PartitionSlice;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Gathers the batches of all partitions of this process into common transactions: one commit for many, and fewer updates of the
 * same rollup rows. Another one begins beside those under way only when it is full. Holds at most one batch a partition, since the log
 * hands out no more.
 */
export function createPoster(options: PosterOptions): Poster {
  const { store, topic, clock, timers = systemTimers, random, log, metrics, lingerMs = 15 } = options;
  const sheets = createPriceSheets(store, log);
  const givenUp = new AbortController();
  let trouble: string | null = null;
  const waiting: Waiting[] = [];
  let running = 0;

  const persist = async <Result>(attempt: () => Promise<Result>): Promise<Result> => {
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(2 * retryMs, longestRetryMs)) {
      try {
        const result = await attempt();
        trouble = null;
        return result;
      } catch (error) {
        if (!isRetryable(error) || givenUp.signal.aborted) throw error;
        trouble = `the database does not take batches: ${error instanceof Error ? error.message : String(error)}`;
        metrics.retried();
        log.warn({ error, retryMs }, 'a batch failed and will be run again');
        await pause(timers, retryMs * (0.5 + random.fraction()), givenUp.signal);
        givenUp.signal.throwIfAborted();
      }
    }
  };

  let preparation: Promise<unknown> = Promise.resolve();
  /**
   * One batch after the other, a part of it in each turn. Partitions hand out their batches together, as one transaction ends for
   * several: prepared at a stretch they would keep the answers of the others waiting for as long as a transaction takes.
   */
  const prepare = (records: readonly StoredRecord[]): Promise<readonly PreparedRecord[]> => {
    const prepared = preparation.then(async () => {
      const done: PreparedRecord[] = [];
      for (let from = 0; from < records.length; from += recordsPerTurn) {
        const part = records.slice(from, from + recordsPerTurn);
        for (const record of await persist(() => prepareRecords(part, sheets, clock.now()))) done.push(record);
        await new Promise<void>((resolve) => timers.endOfTurn(resolve));
      }
      return done;
    });
    preparation = prepared.catch(() => {});
    return prepared;
  };

  /** Posts all slices and gives the partitions that were fenced off. Records that break the transaction are found by halving. */
  const settle = async (slices: readonly PartitionSlice[]): Promise<readonly number[]> => {
    try {
      const startedAt = clock.monotonic();
      const outcome = await persist(async () => {
        await store.ensureRoom(occurrences(slices));
        return postBatch({ store, topic, slices, clock, random });
      });
      report(outcome, (clock.monotonic() - startedAt) / 1_000);
      return outcome.fenced;
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      const fenced: number[] = [];
      for (const part of parts(slices, error)) fenced.push(...(await settle(part)));
      return fenced;
    }
  };

  const report = (outcome: BatchOutcome, seconds: number): void => {
    metrics.committed(outcome, clock.now(), seconds);
    for (const { reason, detail, record } of outcome.dead) {
      const place = { reason, detail, partition: record.partition, offset: record.offset.toString() };
      if (reason === 'id_reuse')
        log.error(place, 'an event id was used twice with different bytes; the first stays, the second is a dead letter');
      else log.warn(place, 'a record became a dead letter');
    }
    if (outcome.posted.length > 0) options.onPosted();
  };

  const run = async (): Promise<void> => {
    running += 1;
    while (waiting.length > 0 && (running === 1 || isFull())) {
      if (!isFull()) await pause(timers, lingerMs);
      const group = takeGroup();
      if (group.length === 0) continue;
      try {
        const fenced = new Set(await settle(group.map(({ slice }) => slice)));
        for (const { slice, resolve, reject } of group) {
          if (fenced.has(slice.partition)) reject(new FencedError(slice.partition));
          else resolve();
        }
      } catch (error) {
        if (!givenUp.signal.aborted) trouble = `a batch was refused: ${error instanceof Error ? error.message : String(error)}`;
        for (const { reject } of group) reject(error);
      }
    }
    running -= 1;
  };

  const isFull = (): boolean => waiting.reduce((sum, { slice }) => sum + slice.records.length, 0) >= maxRecords;

  const takeGroup = (): Waiting[] => {
    let records = 0;
    const end = waiting.findIndex(({ slice }, index) => {
      records += slice.records.length;
      return index > 0 && records > maxRecords;
    });
    return waiting.splice(0, end < 0 ? waiting.length : end);
  };

  return {
    post: async (partition, epoch, records) => {
      const prepared = await prepare(records);
      await new Promise<void>((resolve, reject) => {
        waiting.push({ slice: { partition, epoch, records: prepared }, resolve, reject });
        if (running === 0 || (running < maxTransactions && isFull())) void run();
      });
    },
    trouble: () => trouble,
    giveUp: () => givenUp.abort(new Error('the ledger stops')),
  };
}

function* occurrences(slices: readonly PartitionSlice[]): Generator<number> {
  for (const { records } of slices) for (const record of records) if (record.kind === 'entry') yield record.entry.occurred_at.getTime();
}

/**
 * Halves of a batch that a record broke, to be posted one after the other; a single record comes back as a dead letter.
 * @throws the error itself, when a dead letter is what could not be written.
 */
function parts(slices: readonly PartitionSlice[], error: unknown): readonly (readonly PartitionSlice[])[] {
  const [slice] = slices;
  if (slices.length > 1) return slices.map((one) => [one]);
  if (slice === undefined) throw error;
  const { records } = slice;
  if (records.length > 1) {
    const middle = records.length >> 1;
    return [[{ ...slice, records: records.slice(0, middle) }], [{ ...slice, records: records.slice(middle) }]];
  }
  const [record] = records;
  if (record === undefined || record.kind === 'dead') throw error;
  return [[{ ...slice, records: [deadRecord(record, 'refused_by_database', refusalOf(error))] }]];
}
