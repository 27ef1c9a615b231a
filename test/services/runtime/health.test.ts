import fastify from 'fastify';
import { expect, test } from 'vitest';
import { addHealthRoutes } from '../../../services/runtime/health.ts';
import type { HealthCheck } from '../../../services/runtime/health-answers.ts';
import { createMetrics } from '../../../services/runtime/metrics.ts';

test('readiness follows its checks and gives reasons; life and metrics are told whatever they say', async () => {
  const app = fastify();
  let checks: readonly HealthCheck[] = [{ name: 'database', reason: null }];
  addHealthRoutes(app, { registry: createMetrics({ process: 'test' }), checks: () => checks });

  expect((await app.inject('/readyz')).statusCode).toBe(200);
  checks = [
    { name: 'database', reason: 'no answer for 3 s' },
    { name: 'spool', reason: null, detail: 'half full' },
  ];
  const notReady = await app.inject('/readyz');
  expect(notReady.statusCode).toBe(503);
  expect(notReady.json()).toEqual({
    status: 'not_ready',
    reasons: [{ check: 'database', reason: 'no answer for 3 s' }],
    checks: ['database', 'spool'],
    details: { spool: 'half full' },
  });
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
  const metrics = await app.inject('/metrics');
  expect(metrics.headers['content-type']).toContain('text/plain');
  expect(metrics.body).toMatch(/turnpike_process_cpu_seconds_total\{process="test"\}/);
});
