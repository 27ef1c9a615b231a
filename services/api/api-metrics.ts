import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../runtime/metrics.ts';
import { metricsPrefix } from '../runtime/metrics.ts';
import type { SendOutcome } from './alerts/send-outcome.ts';

/** How an operation ended, as far as the gate and the runner can tell. */
export type OperationEnd = 'answered' | 'with_errors' | 'throttled' | 'too_expensive' | 'streaming';

export interface ApiMetrics {
  readonly operation: (end: OperationEnd, seconds: number) => void;
  /** An operation that the gate refused, by our code. */
  readonly refusedOperation: (code: string) => void;
  /** A request without a key that may use the API, by our code. */
  readonly refusedKey: (code: string) => void;
  /** A try to deliver an alert, by how it ended. */
  readonly alertTry: (kind: SendOutcome['kind']) => void;
}

const durationBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The API's figures. Nothing in a label comes from a client. */
export function createApiMetrics(
  registry: MetricsRegistry,
  live: { readonly sockets: () => number; readonly followed: () => number; readonly lagMs: () => number },
): ApiMetrics {
  const registers = [registry];
  const name = (rest: string): string => `${metricsPrefix}api_${rest}`;
  const operations = new Histogram({
    name: name('operation_seconds'),
    help: 'Time from admission to the answer, or to the start of the stream',
    labelNames: ['end'],
    buckets: durationBuckets,
    registers,
  });
  const refusedOperations = new Counter({
    name: name('operations_refused_total'),
    help: 'Operations that the gate refused',
    labelNames: ['code'],
    registers,
  });
  const refusedKeys = new Counter({
    name: name('keys_refused_total'),
    help: 'Requests without a key that may use the API',
    labelNames: ['code'],
    registers,
  });
  const alertTries = new Counter({
    name: name('alert_tries_total'),
    help: 'Tries to deliver an alert, by how they ended',
    labelNames: ['end'],
    registers,
  });
  const gauge = (rest: string, help: string, read: () => number): void => {
    new Gauge({
      name: name(rest),
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('sockets', 'Open WebSockets', live.sockets);
  gauge('followed_organizations', 'Organizations that open streams follow', live.followed);
  gauge(
    'stream_lag_seconds',
    'Age of the newest journal item when it was read, the greatest of those followed',
    () => live.lagMs() / 1_000,
  );
  return {
    operation: (end, seconds) => operations.observe({ end }, seconds),
    refusedOperation: (code) => refusedOperations.inc({ code }),
    refusedKey: (code) => refusedKeys.inc({ code }),
    alertTry: (kind) => alertTries.inc({ end: kind }),
  };
}
