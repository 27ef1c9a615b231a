import { Counter, Gauge } from 'prom-client';
import type { Outcome, RequestSettled } from '../../schema/events/request-settled.v1.ts';
import type { SpoolState } from '../eventlog/spool.ts';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import { createGatheredHistogram, metricsPrefix } from '../runtime/metrics.ts';
import type { ShedReason } from './admission/overload.ts';
import type { ClaimOutcome } from './idempotency/idempotency.ts';

export interface ProxyMetricsOptions {
  readonly registry: MetricsRegistry;
  readonly spool: () => SpoolState;
  readonly snapshotAgeMs: () => number;
  readonly active: () => number;
  readonly draining: () => number;
  /** Requests refused because there was too much to do, by what there was too much of. */
  readonly shed: Readonly<Record<ShedReason, number>>;
  readonly heldBytes: () => number;
  /** Endings of requests with an idempotency key that the database does not know yet, and the answers held until it does. */
  readonly keyEndings: () => number;
  readonly keyedBytes: () => number;
  /** Calls under way, by provider: as many labels as the registry has providers. */
  readonly upstreamInFlight: () => ReadonlyMap<string, number>;
}

export interface ProxyMetrics {
  /** Counts a request and, where its times are known, how long it took. */
  readonly settled: (outcome: Outcome, event: Pick<RequestSettled, 'stream' | 'timings'> | null) => void;
  readonly unauthenticated: (code: string) => void;
  readonly keyAsked: (outcome: ClaimOutcome) => void;
  /** Counts a try to settle a batch that failed. */
  readonly batchFailed: () => void;
}

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** The proxy's own figures. Every label comes from a closed set. */
export function createProxyMetrics(options: ProxyMetricsOptions): ProxyMetrics {
  const { registry, spool } = options;
  const registers = [registry];
  const settledBy = new Map<Outcome, number>();
  const requests = new Counter({
    name: `${metricsPrefix}proxy_requests_total`,
    help: 'Settled requests by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of settledBy) requests.inc({ outcome }, count);
    },
  });
  const refused = new Counter({
    name: `${metricsPrefix}proxy_unauthenticated_total`,
    help: 'Requests refused before authentication, by error code; they make no event',
    labelNames: ['code'],
    registers,
  });
  const keys = new Counter({
    name: `${metricsPrefix}proxy_idempotency_keys_total`,
    help: 'Requests with an idempotency key, by what became of asking for it: claimed is a new one, kept a replay',
    labelNames: ['outcome'],
    registers,
  });
  const batchFailures = new Counter({
    name: `${metricsPrefix}proxy_batch_failures_total`,
    help: 'Tries to settle a batch that failed; each is tried again until the ledger has all that it cost',
    registers,
  });
  const shed = new Counter({
    name: `${metricsPrefix}proxy_shed_total`,
    help: 'Requests refused as overloaded before authentication, by what there was too much of; they make no event',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(options.shed)) shed.inc({ reason }, count);
    },
  });
  const histogram = (name: string, help: string, buckets: number[]) =>
    createGatheredHistogram({ name: `${metricsPrefix}proxy_${name}`, help, buckets, registers });
  const requestSeconds = histogram('request_seconds', 'From admission to the end of the answer', requestBuckets);
  const firstByteSeconds = histogram('first_byte_seconds', 'From admission to the first byte of a streamed answer', requestBuckets);
  const overheadSeconds = histogram('overhead_seconds', 'What the proxy itself took of a request', overheadBuckets);
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `${metricsPrefix}${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('proxy_requests_active', 'Requests without a settlement yet', options.active);
  gauge('proxy_requests_draining', 'Requests whose client left, read on for their usage', options.draining);
  gauge('proxy_held_bytes', 'Bytes of bodies and whole answers in memory', options.heldBytes);
  gauge('proxy_idempotency_untold', 'Ended requests with an idempotency key that PostgreSQL does not know of yet', options.keyEndings);
  gauge('proxy_idempotency_held_bytes', 'Bytes of their answers in memory', options.keyedBytes);
  gauge('snapshot_age_seconds', 'Time since the registry last confirmed the snapshot', () => options.snapshotAgeMs() / 1_000);
  gauge('spool_open', 'Requests opened and not settled', () => spool().open);
  gauge('spool_unsent', 'Settlements the event log has not acknowledged', () => spool().unsent);
  gauge('spool_bytes', 'Bytes of the spool on disk', () => spool().bytes);
  gauge('spool_oldest_unsent_seconds', 'Age of the oldest settlement not acknowledged', () => spool().oldestUnsentMs / 1_000);
  gauge('spool_writable', '1 while the spool takes records', () => (spool().writable ? 1 : 0));
  const upstream = new Gauge({
    name: `${metricsPrefix}proxy_upstream_calls`,
    help: 'Calls under way, each on a connection of its own',
    labelNames: ['provider'],
    registers,
    collect() {
      this.reset();
      for (const [provider, calls] of options.upstreamInFlight()) upstream.set({ provider }, calls);
    },
  });
  return {
    settled: (outcome, event) => {
      settledBy.set(outcome, (settledBy.get(outcome) ?? 0) + 1);
      if (event === null) return;
      const { firstByteMs, totalMs, overheadMs } = event.timings;
      requestSeconds.observe(totalMs / 1_000);
      if (event.stream && firstByteMs !== null) firstByteSeconds.observe(firstByteMs / 1_000);
      if (overheadMs !== null) overheadSeconds.observe(overheadMs / 1_000);
    },
    unauthenticated: (code) => refused.inc({ code }),
    keyAsked: (outcome) => keys.inc({ outcome }),
    batchFailed: () => batchFailures.inc(),
  };
}
