import { createApiMetrics } from '../../services/api/api-metrics.ts';
import type { EventLogConsumer } from '../../services/eventlog/event-log.ts';
import { createLedgerMetrics } from '../../services/ledger/ledger-metrics.ts';
import { measureLag } from '../../services/ledger/measure-lag.ts';
import { createProxyMetrics } from '../../services/proxy/proxy-metrics.ts';
import { systemClock } from '../../services/runtime/clock.ts';
import { createMetrics } from '../../services/runtime/metrics.ts';

const emptyLog: EventLogConsumer = {
  subscribe: async () => ({ pause: () => {}, resume: () => {}, stop: async () => {} }),
  offsets: async () => new Map(),
  close: async () => {},
};

/** A metric of a process. */
type Exposed = { readonly name: string; readonly type: string };

/** What the processes expose, by the registries their `main.ts` build. */
export async function exposedByProcesses(): Promise<readonly Exposed[]> {
  const proxy = createMetrics({ process: 'proxy' });
  createProxyMetrics({
    registry: proxy,
    spool: () => ({ epoch: 1, open: 0, unsent: 0, bytes: 0, oldestUnsentMs: 0, writable: true }),
    snapshotAgeMs: () => 0,
    active: () => 0,
    draining: () => 0,
    shed: { requests: 0, bytes: 0, event_loop: 0 },
    heldBytes: () => 0,
    keyEndings: () => 0,
    keyedBytes: () => 0,
    upstreamInFlight: () => new Map(),
  });
  const ledger = createMetrics({ process: 'ledger' });
  createLedgerMetrics(ledger);
  measureLag(emptyLog, { registry: ledger, clock: systemClock });
  const api = createMetrics({ process: 'api' });
  createApiMetrics(api, { sockets: () => 0, followed: () => 0, lagMs: () => 0 });
  const found = await Promise.all([proxy, ledger, api].map((registry) => registry.getMetricsAsJSON()));
  return found.flat().map(({ name, type }) => ({ name, type: String(type) }));
}

/** The series of a metric: a histogram is three. */
export function seriesOf({ name, type }: Exposed): readonly string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
