import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { checkLeasesInParts } from '../journal/check-leases.ts';
import type { Log } from '../runtime/log.ts';
import type { HourlyWork } from './every-hour.ts';
import { everyHour } from './every-hour.ts';
import type { LeaseMetrics } from './ledger-metrics.ts';

/**
 * Proves at once and every hour that what budgets count is what their leases and postings come to. Nothing is mended by itself: a finding
 * is an error in the log and a number in the metrics until somebody has looked.
 */
export function startLeaseChecks(options: {
  readonly db: Kysely<Database>;
  readonly log: Log;
  readonly metrics: LeaseMetrics;
}): HourlyWork {
  const { db, log, metrics } = options;
  const work = async (stopping: AbortSignal): Promise<void> => {
    const findings = await checkLeasesInParts(db, stopping);
    metrics.leaseFindings(findings.length);
    if (findings.length > 0) log.error({ findings: findings.slice(0, 10), count: findings.length }, 'the books of budgets do not add up');
  };
  return everyHour(work, 'the books of budgets could not be checked', log);
}
