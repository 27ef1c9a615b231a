import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { AlertMetrics } from '../ledger-metrics.ts';
import { tellAlerts } from './tell-alerts.ts';

export interface AlertTeller {
  /** Ends after the look under way. */
  readonly stop: () => Promise<void>;
}

/** Entries of the list that one transaction takes. */
const entriesPerLook = 1_000;

/**
 * Tells the alerts of budgets in every ledger process. What it has not looked at when it stops or is killed stays on the list for
 * the next, whichever process that is.
 */
export function startAlertTeller(options: {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: AlertMetrics;
  /** Told after each commit that added an alert. */
  readonly onTold: () => void;
  /** Pause between two looks. 1 s. */
  readonly everyMs?: number;
}): AlertTeller {
  const { db, clock, random, log, metrics, onTold, everyMs = 1_000 } = options;
  const stopping = new AbortController();
  let upToDateAtMs = clock.monotonic();

  const lookAtAll = async (): Promise<void> => {
    let oldestMs = 0;
    for (let taken = entriesPerLook; taken === entriesPerLook && !stopping.signal.aborted; ) {
      const look = await tellAlerts(db, random, entriesPerLook);
      taken = look.taken;
      oldestMs = Math.max(oldestMs, look.oldestMs);
      metrics.told(look.told);
      if (look.told > 0) onTold();
    }
    upToDateAtMs = clock.monotonic();
    metrics.lag(oldestMs / 1_000);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await lookAtAll();
      } catch (error) {
        metrics.lag((clock.monotonic() - upToDateAtMs) / 1_000);
        log.warn({ error }, 'thresholds of budgets could not be looked at and wait');
      }
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
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
