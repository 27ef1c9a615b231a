import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HealthCheck } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';
import type { Round } from './sequence-round.ts';
import { sequenceRound } from './sequence-round.ts';

export type SequencerOptions = {
  /** A pool of one connection that nobody else uses: leadership is a lock of its session. */
  readonly db: Kysely<Database>;
  readonly clock: Clock;
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

/** `turnpikeS` in ASCII, cut to 63 bits: any number will do as long as nobody else takes it. */
const leaderLock = 0x75726e70_696b6553n;
/** Items of one round: some 100 ms of work. A full round is followed by the next at once. */
const roundLimit = 5_000;
/** Rounds, and with them wake-ups of readers, come at most ten a second: NOTIFY holds a lock of the whole server through its commit. */
const paceMs = 100;
const followerMs = 1_000;
/** A leader that is frozen loses its session, and with it the lock, to the others. */
const idleSessionTimeout = '10s';

/**
 * Puts the committed rows of the journal in order. Among all ledger processes one leads, by an advisory lock that lives and dies with
 * the session in which it works. Absence from the list is progress, so a crash at any point leaves nothing half done.
 */
export function startSequencer(options: SequencerOptions): Sequencer {
  const { db, clock, log, metrics, idleMs = 250 } = options;
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

  const lead = async (connection: Kysely<Database>): Promise<void> => {
    while (!stopping.signal.aborted) {
      awake = false;
      const startedAt = clock.monotonic();
      let round: Round;
      do {
        const roundStartedAt = clock.monotonic();
        round = await sequenceRound(connection, { limit: roundLimit, wakeReaders });
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
    await db.connection().execute(async (connection) => {
      await sql`select set_config('idle_session_timeout', ${idleSessionTimeout}, false)`.execute(connection);
      const { rows } = await sql<{ leads: boolean }>`select pg_try_advisory_lock(${leaderLock}) as leads`.execute(connection);
      if (rows[0]?.leads !== true) {
        trouble = null;
        return;
      }
      metrics.leads(true);
      log.info('this process sequences the journal');
      try {
        await lead(connection);
        // What was committed before the stop is sequenced before the end.
        await sequenceRound(connection, { limit: roundLimit, wakeReaders: (sequenced) => sequenced > 0 || owesNotice });
      } finally {
        metrics.leads(false);
        await sql`select pg_advisory_unlock(${leaderLock})`.execute(connection).catch(() => {});
      }
    });
  };

  const rest = async (ms: number): Promise<void> => {
    await pause(ms, undefined, { signal: stopping.signal }).catch(() => {});
  };
  const restUntilWoken = async (ms: number): Promise<void> => {
    const woken = new AbortController();
    wakeUp = () => woken.abort();
    await pause(ms, undefined, { signal: AbortSignal.any([stopping.signal, woken.signal]) }).catch(() => {});
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
