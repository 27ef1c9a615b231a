import type { HistogramConfiguration } from 'prom-client';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export type { Registry as MetricsRegistry } from 'prom-client';

/** Every metric of ours begins with it. */
export const metricsPrefix = 'turnpike_';

/** How often the delay of the event loop is looked at: each look wakes the process up, and every 10 ms half of what an idle proxy did was that. */
const LOOK_AT_LOOP_MS = 50;

/**
 * A registry with the runtime's own metrics (event loop, heap, garbage collection, open files) in it, every metric labelled
 * with the process's name. One per process: prom-client's global registry is not used, so tests can run many in one.
 */
export function createMetrics(options: { readonly process: string }): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.process });
  collectDefaultMetrics({ register: registry, prefix: metricsPrefix, eventLoopMonitoringPrecision: LOOK_AT_LOOP_MS });
  return registry;
}

/** Observations kept before they are counted. */
const GATHERED = 256;

/**
 * A histogram for the hot path: observations are kept and counted many at a time, which is several times cheaper, and before
 * each scrape.
 */
export function createGatheredHistogram(configuration: Omit<HistogramConfiguration<string>, 'collect'>): {
  readonly observe: (value: number) => void;
} {
  const gathered = new Float64Array(GATHERED);
  let count = 0;
  const flush = (): void => {
    for (let index = 0; index < count; index++) histogram.observe(gathered[index] ?? 0);
    count = 0;
  };
  const histogram = new Histogram({ ...configuration, collect: flush });
  return {
    observe: (value) => {
      gathered[count] = value;
      count += 1;
      if (count === GATHERED) flush();
    },
  };
}
