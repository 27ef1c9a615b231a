import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import { metricsPrefix } from '../runtime/metrics.ts';
import type { BatchOutcome } from './batch.ts';
import { postingFlags } from './post.ts';

export type LedgerMetrics = {
  /** Counts what a committed transaction did. `nowMs` is the time of the commit. */
  readonly committed: (outcome: BatchOutcome, nowMs: number, seconds: number) => void;
  readonly retried: () => void;
  readonly behind: (partition: number, records: bigint) => void;
  /** 0 = the log and the books fit. */
  readonly gap: (partition: number, records: bigint) => void;
  readonly sequenced: (items: number, oldestUnsequencedSeconds: number, seconds: number) => void;
  readonly leads: (leading: boolean) => void;
};

export type LeaseMetrics = {
  /** Of the last check: 0 = the books of budgets add up. */
  readonly leaseFindings: (count: number) => void;
};

export type PurgeMetrics = {
  readonly purged: (counters: { readonly removed: number; readonly summedUp: number }) => void;
};

export type AlertMetrics = {
  readonly told: (alerts: number) => void;
  /** How long the oldest change waited to be looked at, or for how long nothing could be. */
  readonly lag: (seconds: number) => void;
};

export type DeadLetterMetrics = {
  /** A dead letter was taken again. */
  readonly redriven: (outcome: 'posted' | 'open') => void;
  /** Dead letters that are open or queued, by reason; all of them, whoever kept them. */
  readonly unsettled: (letters: ReadonlyMap<string, number>) => void;
};

const lagBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 86_400];
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** The ledger's figures; all lags are in seconds. */
export function createLedgerMetrics(
  registry: MetricsRegistry,
): LedgerMetrics & DeadLetterMetrics & LeaseMetrics & PurgeMetrics & AlertMetrics {
  const registers = [registry];
  const name = (rest: string): string => `${metricsPrefix}ledger_${rest}`;
  const posted = new Counter({ name: name('entries_posted_total'), help: 'Entries added to the ledger', registers });
  const duplicates = new Counter({
    name: name('duplicates_total'),
    help: 'Events that were in the ledger already, to the byte',
    registers,
  });
  const dead = new Counter({ name: name('dead_letters_total'), help: 'Records kept as dead letters', labelNames: ['reason'], registers });
  const redriven = new Counter({
    name: name('dead_letter_retries_total'),
    help: 'Dead letters that were taken again, by what became of them',
    labelNames: ['outcome'],
    registers,
  });
  const unsettled = new Gauge({
    name: name('dead_letters_open'),
    help: 'Dead letters that are neither posted nor discarded, of all ledger processes together',
    labelNames: ['reason'],
    registers,
  });
  const leaseFindings = new Gauge({
    name: name('lease_findings'),
    help: 'Counters of budgets that did not add up at the last check, which is made every hour',
    registers,
  });
  const purged = new Counter({
    name: name('purged_counters_total'),
    help: 'Counters of windows long over that were removed, or of which leases and log were summed up',
    labelNames: ['what'],
    registers,
  });
  const alerts = new Counter({ name: name('alerts_total'), help: 'Alerts of budgets that were told', registers });
  const alertLag = new Gauge({
    name: name('alert_lag_seconds'),
    help: 'How long the oldest change of a budget waited to be compared with its thresholds at the last look, which is made every second',
    registers,
  });
  const differences = new Counter({
    name: name('cost_differences_total'),
    help: 'Entries whose cost is not the one their proxy told the application',
    registers,
  });
  const overruns = new Counter({
    name: name('overruns_total'),
    help: 'Holds of budgets and rate limits whose request used more than was held for it',
    registers,
  });
  const unrated = new Counter({ name: name('unrated_total'), help: 'Entries without a cost', labelNames: ['reason'], registers });
  const fenced = new Counter({ name: name('fenced_total'), help: 'Slices dropped because the partition had another owner', registers });
  const retries = new Counter({ name: name('batch_retries_total'), help: 'Batches run again after a failure of the database', registers });
  const lag = new Histogram({
    name: name('lag_seconds'),
    help: 'From settlement to the commit of its entry',
    buckets: lagBuckets,
    registers,
  });
  const batchRecords = new Histogram({
    name: name('batch_records'),
    help: 'Records dealt with by one transaction',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000],
    registers,
  });
  const batchSeconds = new Histogram({ name: name('batch_seconds'), help: 'Length of a transaction', buckets: durationBuckets, registers });
  const behind = new Gauge({ name: name('records_behind'), help: 'Records of the log not read yet', labelNames: ['partition'], registers });
  const gap = new Gauge({
    name: name('gap_records'),
    help: 'Records missing between the books and the log; anything but 0 needs a person',
    labelNames: ['partition'],
    registers,
  });
  const sequenced = new Counter({ name: name('sequenced_total'), help: 'Journal items that were given their position', registers });
  const oldest = new Gauge({
    name: name('oldest_unsequenced_seconds'),
    help: 'Age of the oldest journal item without a position, as the leading sequencer saw it',
    registers,
  });
  const roundSeconds = new Histogram({ name: name('sequencing_seconds'), help: 'Length of a round', buckets: durationBuckets, registers });
  const leads = new Gauge({ name: name('sequencer_leads'), help: '1 where this process sequences', registers });

  return {
    committed: (outcome, nowMs, seconds) => {
      posted.inc(outcome.posted.length);
      duplicates.inc(outcome.duplicates);
      fenced.inc(outcome.fenced.length);
      for (const { reason } of outcome.dead) dead.inc({ reason });
      for (const { entry, holds, settledAtMs } of outcome.posted) {
        lag.observe(Math.max(0, nowMs - settledAtMs) / 1_000);
        for (const { debit, cost } of holds) if (cost > debit) overruns.inc();
        if (entry.unrated !== null) unrated.inc({ reason: knownReasons.has(entry.unrated) ? entry.unrated : 'other' });
        if (entry.flags.includes(postingFlags.costDiffers)) differences.inc();
      }
      batchRecords.observe(outcome.posted.length + outcome.duplicates + outcome.dead.length);
      batchSeconds.observe(seconds);
    },
    retried: () => retries.inc(),
    leaseFindings: (count) => leaseFindings.set(count),
    purged: ({ removed, summedUp }) => {
      purged.inc({ what: 'removed' }, removed);
      purged.inc({ what: 'summed_up' }, summedUp);
    },
    told: (count) => alerts.inc(count),
    lag: (seconds) => alertLag.set(seconds),
    redriven: (outcome) => redriven.inc({ outcome }),
    unsettled: (letters) => {
      // A reason of which none are left must not stay at its last count.
      unsettled.reset();
      for (const [reason, count] of letters) unsettled.set({ reason }, count);
    },
    behind: (partition, records) => behind.set({ partition }, Number(records)),
    gap: (partition, records) => gap.set({ partition }, Number(records)),
    sequenced: (items, oldestUnsequencedSeconds, seconds) => {
      sequenced.inc(items);
      oldest.set(oldestUnsequencedSeconds);
      roundSeconds.observe(seconds);
    },
    leads: (leading) => leads.set(leading ? 1 : 0),
  };
}

/** The proxy may bring a reason of its own; a label must not take on any text that comes along. */
const knownReasons: ReadonlySet<string> = new Set([
  'no_price',
  'tier_unknown',
  'combination_unknown',
  'usage_missing',
  'usage_invalid',
  'price_missing',
  'orphaned',
  postingFlags.priceVersionUnknown,
]);
