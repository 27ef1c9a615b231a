import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from './metrics.ts';

/** One thing readiness depends on. `reason` is null while it is well, else what is wrong, for a person; it must hold no secret. */
export type HealthCheck = {
  readonly name: string;
  readonly reason: string | null;
  /** What is worth knowing about it either way, such as an age. */
  readonly detail?: string;
};

export type HealthOptions = {
  readonly registry: MetricsRegistry;
  /** Asked at each `/readyz`. It answers from what the process knows; it makes no call of its own. */
  readonly checks: () => readonly HealthCheck[];
};

/**
 * Adds the three routes that every process has:
 * `/healthz` says that the process runs, `/readyz` whether it can do its work (503 with reasons where not), `/metrics` its figures.
 */
export function addHealthRoutes(app: FastifyInstance, options: HealthOptions): void {
  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    const checks = options.checks();
    const reasons = checks.flatMap((check) => (check.reason === null ? [] : [{ check: check.name, reason: check.reason }]));
    const ready = reasons.length === 0;
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : 'not_ready', reasons, checks: checks.map((check) => check.name), details: detailsOf(checks) });
  });

  app.get('/metrics', async (_request, reply) => {
    return reply.header('content-type', options.registry.contentType).send(await options.registry.metrics());
  });
}

function detailsOf(checks: readonly HealthCheck[]): Readonly<Record<string, string>> {
  return Object.fromEntries(checks.flatMap(({ name, detail }) => (detail === undefined ? [] : [[name, detail]])));
}
