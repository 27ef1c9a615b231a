import type { Books } from '../books.ts';
import type { Endpoint } from '../endpoint.ts';
import { sendBody, sendJson } from '../endpoint.ts';

export type HealthOptions = {
  readonly books: Books;
  readonly isClosing: () => boolean;
  /** The runtime's own metrics in Prometheus' text format, or null to show none. */
  readonly runtimeMetrics: (() => Promise<string>) | null;
};

/** `GET /healthz`, `/readyz` and `/metrics` in the form every process has them. The simulator is ready while it is not closing. */
export function healthEndpoints({ books, isClosing, runtimeMetrics }: HealthOptions): readonly Endpoint[] {
  const checks = ['open'];
  return [
    { path: '/healthz', handlers: { GET: ({ response }) => sendJson(response, 200, { status: 'ok' }) } },
    {
      path: '/readyz',
      handlers: {
        GET: ({ response }) => {
          if (!isClosing()) sendJson(response, 200, { status: 'ready', reasons: [], checks });
          else sendJson(response, 503, { status: 'not_ready', reasons: [{ check: 'open', reason: 'the simulator is closing' }], checks });
        },
      },
    },
    {
      path: '/metrics',
      handlers: {
        GET: ({ response }) => {
          const send = (more: string): void =>
            sendBody(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(books) + more);
          if (runtimeMetrics === null) send('');
          else runtimeMetrics().then(send, (error: unknown) => response.destroy(error instanceof Error ? error : undefined));
        },
      },
    },
  ];
}

/** The totals of the books in Prometheus' text format. A reset of the books resets these counters, which Prometheus expects of a restart. */
function metricsText(books: Books): string {
  const { active, outcomes, billed } = books.summary();
  const lines = [
    '# HELP turnpike_simulator_requests_active Requests being answered.',
    '# TYPE turnpike_simulator_requests_active gauge',
    `turnpike_simulator_requests_active ${active}`,
    '# HELP turnpike_simulator_requests_total Billable requests by outcome.',
    '# TYPE turnpike_simulator_requests_total counter',
    ...Object.entries(outcomes).map(([outcome, count]) => `turnpike_simulator_requests_total{outcome="${outcome}"} ${count}`),
    '# HELP turnpike_simulator_billed_tokens_total Tokens billed by class; cached lie within prompt, reasoning within completion.',
    '# TYPE turnpike_simulator_billed_tokens_total counter',
    `turnpike_simulator_billed_tokens_total{class="prompt"} ${billed.promptTokens}`,
    `turnpike_simulator_billed_tokens_total{class="cached"} ${billed.cachedTokens}`,
    `turnpike_simulator_billed_tokens_total{class="completion"} ${billed.completionTokens}`,
    `turnpike_simulator_billed_tokens_total{class="reasoning"} ${billed.reasoningTokens}`,
  ];
  return `${lines.join('\n')}\n`;
}
