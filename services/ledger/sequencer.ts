import type { Timers } from '../eventlog/timers.ts';
import { pause, systemTimers } from '../eventlog/timers.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HealthCheck } from '../runtime/health-answers.ts';
import type { Log } from '../runtime/log.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';
import { sequenceRound } from './sequence-round.ts';
import type { Round, SequencerSession, SequencerStore } from './store/sequencer-store.ts';

export type SequencerOptions = {
  readonly store: SequencerStore;
  readonly clock: Clock;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
  readonly log: Log;
  readonly metrics: LedgerMetrics;
  /** Longest pause between two looks while nothing wakes it. 250 ms. */
  readonly idleMs?: number;
};

export type Sequencer = {
  /** There is something to sequence: go as soon as the pace allows. */
  readonly wake: () => void;
  readonly checks: () => readonly HealthCheck[];
  /** Ends after the round under way, or the first one that finds nothing left, and gives leadership up. */
  readonly stop: () => Promise<void>;
};

/** Items of one round: some 100 ms of work. A full round is followed by the next at once. */
const roundLimit = 5_000;
/** Rounds, and with them wake-ups of readers, come at most ten a second: NOTIFY holds a lock of the whole server through its commit. */
const paceMs = 100;
const followerMs = 1_000;

/**
 * Puts the committed rows of the journal in order. Among all ledger processes one leads, for as long as the session
 * in which it works lives. Absence from the list is progress, so a crash at any point leaves nothing half done.
 */
export function startSequencer(options: SequencerOptions): Sequencer {
  const { store, clock, timers = systemTimers, log, metrics, idleMs = 250 } = options;
  const stopping = new AbortController();
  let awake = false;
  let wakeUp: () => void = () => {};
  let notifiedAtMs = Number.NEGATIVE_INFINITY;
  let owesNotice = false;
  let trouble: string | null = null;

  const wakeReaders = (sequenced: number): boolean => {
    owesNotice ||= sequenced > 0;
    if (!owesNotice || clock.monotonic() - notifiedAtMs < paceMs) return false;
    owesNotice = false;
    notifiedAtMs = clock.monotonic();
    return true;
  };

  const lead = async (session: SequencerSession): Promise<void> => {
    while (!stopping.signal.aborted) {
      awake = false;
      const startedAt = clock.monotonic();
      let round: Round;
      do {
        const roundStartedAt = clock.monotonic();
        round = await sequenceRound(session, { limit: roundLimit, wakeReaders });
        const ageSeconds = round.oldestMs === null ? 0 : Math.max(0, clock.now() - round.oldestMs) / 1_000;
        metrics.sequenced(round.sequenced, ageSeconds, (clock.monotonic() - roundStartedAt) / 1_000);
      } while (round.sequenced === roundLimit && !stopping.signal.aborted);
      trouble = null;
      await rest(Math.max(0, paceMs - (clock.monotonic() - startedAt)));
      if (!awake && !owesNotice) await restUntilWoken(idleMs - paceMs);
    }
  };

  /** One term: becomes leader and leads until the stop, or finds that another leads. */
  const serve = async (): Promise<void> => {
    await store.session(async (session) => {
      if (!(await session.tryToLead())) {
        trouble = null;
        return;
      }
      metrics.leads(true);
      log.info('this process sequences the journal');
      try {
        await lead(session);
        // What was committed before the stop is sequenced before the end.
        await sequenceRound(session, { limit: roundLimit, wakeReaders: (sequenced) => sequenced > 0 || owesNotice });
      } finally {
        metrics.leads(false);
        await session.stopLeading().catch(() => {});
      }
    });
  };

  const rest = (ms: number): Promise<void> => pause(timers, ms, stopping.signal);
  const restUntilWoken = async (ms: number): Promise<void> => {
    const woken = new AbortController();
    wakeUp = () => woken.abort();
    await pause(timers, ms, AbortSignal.any([stopping.signal, woken.signal]));
    wakeUp = () => {};
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await serve();
      } catch (error) {
        trouble = `the journal is not sequenced: ${error instanceof Error ? error.message : String(error)}`;
        log.warn({ error }, 'the sequencer lost its round or its connection and begins anew');
      }
      await rest(followerMs);
    }
  };
  const ended = run();

  return {
    wake: () => {
      awake = true;
      wakeUp();
    },
    checks: () => [{ name: 'sequencer', reason: trouble }],
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
