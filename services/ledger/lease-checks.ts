import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { checkLeasesInParts } from '../journal/check-leases.ts';
import type { Log } from '../runtime/log.ts';
import type { LeaseMetrics } from './ledger-metrics.ts';

const everyMs = 3_600_000;

export type LeaseChecks = { readonly stop: () => Promise<void> };

/**
 * Proves at once and every hour that what budgets count is what their leases and postings come to. Nothing is mended by itself: a finding is an error in the
 * log and a number in the metrics until somebody has looked. A check that fails is told and made again an hour later.
 */
export function startLeaseChecks(options: {
  readonly db: Kysely<Database>;
  readonly log: Log;
  readonly metrics: LeaseMetrics;
}): LeaseChecks {
  const { db, log, metrics } = options;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const findings = await checkLeasesInParts(db, stopping.signal);
        metrics.leaseFindings(findings.length);
        if (findings.length > 0)
          log.error({ findings: findings.slice(0, 10), count: findings.length }, 'the books of budgets do not add up');
      } catch (error) {
        log.warn({ error }, 'the books of budgets could not be checked');
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
