import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge } from 'prom-client';
import type { Outcome } from '../../schema/events/request-settled.v1.ts';
import type { SpoolState } from '../eventlog/spool.ts';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import { metricsPrefix } from '../runtime/metrics.ts';

export interface ProxyMetricsOptions {
  readonly registry: MetricsRegistry;
  readonly spool: () => SpoolState;
  readonly snapshotAgeMs: () => number;
  readonly active: () => number;
  readonly draining: () => number;
  /** Calls under way, by provider: as many labels as the registry has providers. */
  readonly upstreamInFlight: () => ReadonlyMap<string, number>;
}

export interface ProxyMetrics {
  readonly settled: (outcome: Outcome) => void;
  readonly unauthenticated: (code: string) => void;
  readonly stop: () => void;
}

/** The proxy's own figures. Every label comes from a closed set. */
export function createProxyMetrics(options: ProxyMetricsOptions): ProxyMetrics {
  const { registry, spool } = options;
  const registers = [registry];
  const requests = new Counter({
    name: `${metricsPrefix}proxy_requests_total`,
    help: 'Settled requests by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const refused = new Counter({
    name: `${metricsPrefix}proxy_unauthenticated_total`,
    help: 'Requests refused before authentication, by error code; they make no event',
    labelNames: ['code'],
    registers,
  });
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
  gauge('snapshot_age_seconds', 'Time since the registry last confirmed the snapshot', () => options.snapshotAgeMs() / 1_000);
  gauge('spool_open', 'Requests opened and not settled', () => spool().open);
  gauge('spool_unsent', 'Settlements the event log has not acknowledged', () => spool().unsent);
  gauge('spool_bytes', 'Bytes of the spool on disk', () => spool().bytes);
  gauge('spool_oldest_unsent_seconds', 'Age of the oldest settlement not acknowledged', () => spool().oldestUnsentMs / 1_000);
  gauge('spool_writable', '1 while the spool takes records', () => (spool().writable ? 1 : 0));
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  gauge('proxy_event_loop_delay_p99_seconds', 'Event loop delay since the last scrape', () => {
    const seconds = delay.percentile(99) / 1e9;
    delay.reset();
    return Number.isFinite(seconds) ? seconds : 0;
  });
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
    settled: (outcome) => requests.inc({ outcome }),
    unauthenticated: (code) => refused.inc({ code }),
    stop: () => delay.disable(),
  };
}
