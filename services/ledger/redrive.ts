import type { Timers } from '../eventlog/timers.ts';
import { pause, systemTimers } from '../eventlog/timers.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { bookRecords } from './batch.ts';
import { isRetryable, refusalOf } from './failures.ts';
import type { DeadLetterMetrics } from './ledger-metrics.ts';
import type { PreparedRecord } from './prepare.ts';
import { prepareRecords } from './prepare.ts';
import type { PriceSheets } from './price-sheets.ts';
import { createPriceSheets } from './price-sheets.ts';
import type { DeadLetterStore, LetterFate, QueuedLetter } from './store/dead-letter-store.ts';
import type { LedgerStore, LedgerTransaction } from './store/ledger-store.ts';

export type RedriveOptions = {
  readonly letters: DeadLetterStore;
  readonly store: LedgerStore;
  readonly clock: Clock;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
  readonly log: Log;
  readonly metrics: DeadLetterMetrics;
  /** Told after each commit that added an entry. */
  readonly onPosted: () => void;
  /** Pause between two looks. 1 s. */
  readonly everyMs?: number;
};

export type Redrive = {
  /** Ends after the letter in hand. */
  readonly stop: () => Promise<void>;
};

/** Letters held at once; each can be a megabyte. */
const heldLetters = 16;
const countEveryMs = 10_000;

/**
 * Takes dead letters again that a person asked for, one by one, each in a transaction of its own: through the code that posts
 * every event, from the original bytes. No offset moves and no partition is owned: what keeps an event from being booked twice
 * is the lock on the letter, its state, and the entry's id, whichever ledger process comes first. Also counts what is unsettled.
 */
export function startRedrive(options: RedriveOptions): Redrive {
  const { letters, clock, timers = systemTimers, log, metrics, everyMs = 1_000 } = options;
  const sheets = createPriceSheets(options.store, log);
  const stopping = new AbortController();
  let countedAtMs = Number.NEGATIVE_INFINITY;

  const takeQueued = async (): Promise<void> => {
    for (let settled = 1; settled > 0 && !stopping.signal.aborted; ) {
      settled = 0;
      for (const letter of await letters.queued(heldLetters)) {
        if (stopping.signal.aborted) return;
        const fate = await retry(letter, sheets, options);
        if (fate === null) continue;
        settled += 1;
        countedAtMs = Number.NEGATIVE_INFINITY;
        metrics.redriven(fate.kind);
        log.info({ deadLetter: letter.id, ...fate }, 'a dead letter was taken again');
        if (fate.kind === 'posted') options.onPosted();
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await takeQueued();
        if (clock.monotonic() - countedAtMs >= countEveryMs) {
          metrics.unsettled(await letters.countUnsettled());
          countedAtMs = clock.monotonic();
        }
      } catch (error) {
        log.warn({ error }, 'dead letters could not be looked at and wait');
      }
      await pause(timers, everyMs, stopping.signal);
    }
  };
  const ended = run();

  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

/** @throws what is no fault of the letter and may pass: it stays queued. */
async function retry(
  letter: QueuedLetter,
  sheets: PriceSheets,
  { letters, store, clock }: Pick<RedriveOptions, 'letters' | 'store' | 'clock'>,
): Promise<LetterFate | null> {
  try {
    const [prepared] = await prepareRecords([letter.record], sheets, clock.now());
    if (prepared === undefined) throw new Error('a record was lost while it was prepared');
    if (prepared.kind === 'entry') await store.ensureRoom([prepared.entry.occurred_at.getTime()]);
    return await letters.settle(letter, (books) => judge(books, prepared));
  } catch (error) {
    if (isRetryable(error)) throw error;
    return letters.settle(letter, async () => ({ kind: 'open', reason: 'refused_by_database', detail: refusalOf(error) }));
  }
}

/** An event that the books hold already, to the byte, is in them: that is what was wanted. */
async function judge(books: LedgerTransaction, prepared: PreparedRecord): Promise<LetterFate> {
  if (prepared.kind === 'dead') return { kind: 'open', reason: prepared.reason, detail: prepared.detail };
  const {
    dead: [refused],
  } = await bookRecords(books, [prepared]);
  if (refused !== undefined) return { kind: 'open', reason: refused.reason, detail: refused.detail };
  return { kind: 'posted', requestId: prepared.entry.entry_id };
}
