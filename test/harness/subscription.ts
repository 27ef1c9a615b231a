import type { Endpoints } from '../../services/cli/start/endpoints.ts';

/** One event of a subscription, and when it arrived (`performance.now()`). */
export type Arrival = { readonly atMs: number; readonly data: unknown };

export type Subscription = {
  /** All that arrived so far. */
  readonly arrivals: readonly Arrival[];
  /** What ended it before it was stopped, or null. */
  readonly failure: () => unknown;
  readonly stop: () => Promise<void>;
};

/** Opens a subscription over SSE (GraphQL over SSE, distinct connections mode) and resolves once the server has accepted it. */
export async function subscribeOverSse(endpoints: Endpoints, query: string): Promise<Subscription> {
  const leaving = new AbortController();
  const response = await fetch(endpoints.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${endpoints.adminKey}` },
    body: JSON.stringify({ query }),
    signal: leaving.signal,
  });
  if (response.status !== 200 || response.body === null)
    throw new Error(`the subscription was answered ${response.status}: ${await response.text()}`);
  const arrivals: Arrival[] = [];
  const { body } = response;
  let failure: unknown = null;
  const reading = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const part of body) {
      const events = (rest + decoder.decode(part, { stream: true })).split('\n\n');
      rest = events.pop() ?? '';
      const atMs = performance.now();
      for (const event of events) {
        const data = /^data: ?(.+)$/m.exec(event)?.[1];
        if (/^event: ?next$/m.test(event) && data !== undefined) arrivals.push({ atMs, data: JSON.parse(data) });
      }
    }
  })().catch((error: unknown) => {
    if (!leaving.signal.aborted) failure = error;
  });
  return {
    arrivals,
    failure: () => failure,
    stop: async () => {
      leaving.abort();
      await reading;
    },
  };
}
