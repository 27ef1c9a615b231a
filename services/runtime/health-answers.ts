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

/** What goes out, whatever server sends it. */
export type HealthAnswer = { readonly status: number; readonly contentType: string; readonly text: string };

/** By path, for GET. */
export type HealthAnswers = Readonly<Record<'/healthz' | '/readyz' | '/metrics', () => Promise<HealthAnswer>>>;

/**
 * What every process says of itself:
 * `/healthz` that it runs, `/readyz` whether it can do its work (503 with reasons where not), `/metrics` its figures.
 */
export function createHealthAnswers(options: HealthOptions): HealthAnswers {
  const { registry } = options;
  return {
    '/healthz': async () => json(200, { status: 'ok' }),
    '/readyz': async () => {
      const checks = options.checks();
      const reasons = checks.flatMap((check) => (check.reason === null ? [] : [{ check: check.name, reason: check.reason }]));
      const ready = reasons.length === 0;
      return json(ready ? 200 : 503, {
        status: ready ? 'ready' : 'not_ready',
        reasons,
        checks: checks.map((check) => check.name),
        details: detailsOf(checks),
      });
    },
    '/metrics': async () => ({ status: 200, contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function json(status: number, value: unknown): HealthAnswer {
  return { status, contentType: 'application/json; charset=utf-8', text: JSON.stringify(value) };
}

function detailsOf(checks: readonly HealthCheck[]): Readonly<Record<string, string>> {
  return Object.fromEntries(checks.flatMap(({ name, detail }) => (detail === undefined ? [] : [[name, detail]])));
}
