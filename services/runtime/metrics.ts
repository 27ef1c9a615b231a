import { collectDefaultMetrics, Registry } from 'prom-client';

export type { Registry as MetricsRegistry } from 'prom-client';

/** Every metric of ours begins with it. */
export const metricsPrefix = 'turnpike_';

/**
 * A registry with the runtime's own metrics (event loop, heap, garbage collection, open files) in it, every metric labelled
 * with the process's name. One per process: prom-client's global registry is not used, so tests can run many in one.
 */
export function createMetrics(options: { readonly process: string }): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.process });
  collectDefaultMetrics({ register: registry, prefix: metricsPrefix });
  return registry;
}
