import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import { BatchRuns } from './batch-runs.ts';
import { Books } from './books.ts';
import { createCredentialNamer } from './credential.ts';
import type { Endpoint, Handler, SimulatorState } from './endpoint.ts';
import { sendFailure } from './endpoint.ts';
import { batchEndpoint, batchesEndpoint } from './endpoints/batches.ts';
import { bookEntriesEndpoint, booksEndpoint } from './endpoints/books.ts';
import { chatCompletionsEndpoint } from './endpoints/chat-completions.ts';
import { completionsEndpoint } from './endpoints/completions.ts';
import { embeddingsEndpoint } from './endpoints/embeddings.ts';
import { fileEndpoint, filesEndpoint } from './endpoints/files.ts';
import { healthEndpoints } from './endpoints/health.ts';
import { imageGenerationsEndpoint } from './endpoints/image-generations.ts';
import { messagesEndpoint } from './endpoints/messages.ts';
import { modelEndpoint, modelsEndpoint } from './endpoints/models.ts';
import { moderationsEndpoint } from './endpoints/moderations.ts';
import { lastRequestsEndpoint } from './endpoints/requests.ts';
import { rerankEndpoint } from './endpoints/rerank.ts';
import { responsesEndpoint } from './endpoints/responses.ts';
import { scenarioEndpoint } from './endpoints/scenario.ts';
import { failure, failureOfKind, invalidRequest } from './failures.ts';
import { KeptFiles } from './kept-files.ts';
import { Occurrences } from './occurrences.ts';
import { ReceivedRequests } from './received-requests.ts';
import { readBody } from './request-body.ts';
import { createScenario } from './scenario/scenario.ts';
import type { ScenarioDocument } from './scenario/scenario-document.ts';

export type SimulatorOptions = {
  /** Everything random follows from it: equal requests in equal order get equal bytes. Default 1. */
  readonly seed?: number;
  /** For `created` and for pacing. Default: the machine's. */
  readonly clock?: Clock;
  /** How many single entries the books keep. Default 100,000. */
  readonly maximumBookEntries?: number;
  /** What happens to which requests, in order; see README. Default: none, models alone decide. */
  readonly scenario?: ScenarioDocument;
  /** Shown on `/metrics` after the simulator's own. Default none. */
  readonly runtimeMetrics?: () => Promise<string>;
};

export type Simulator = {
  readonly books: Books;
  /** @throws the socket's error, such as EADDRINUSE. Port 0 takes any free one. */
  readonly listen: (address: { readonly host: string; readonly port: number }) => Promise<{ readonly port: number }>;
  /** Takes no more requests, lets those under way finish for at most `graceMs` (default 5,000), then cuts their connections. */
  readonly close: (graceMs?: number) => Promise<void>;
};

/** As OpenAI's own limit is unknown, the gateway's (32 MiB) and some: what the gateway lets through must not fail here by size. */
const maximumBodyBytes = 40 * 1024 * 1024;
/** Longer than any client's idle time, so that it is the client who closes an idle connection and no request meets a closing one. */
const keepAliveTimeoutMs = 75_000;
const requestTimeoutMs = 60_000;

/** A provider that speaks OpenAI's protocol and keeps its own books, see README. Nothing runs before `listen`. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const books = new Books(options.maximumBookEntries);
  const clock = options.clock ?? systemClock;
  const scenario = options.scenario === undefined ? null : createScenario(options.scenario, clock);
  const files = new KeptFiles(clock);
  const state: SimulatorState = {
    seed: options.seed ?? 1,
    clock,
    books,
    received: new ReceivedRequests(),
    files,
    batches: new BatchRuns(clock, files),
    occurrences: new Occurrences(),
    nameCredential: createCredentialNamer(),
    scenario,
  };
  let closing = false;
  const find = createRouter([
    chatCompletionsEndpoint(state),
    completionsEndpoint(state),
    embeddingsEndpoint(state),
    moderationsEndpoint(state),
    imageGenerationsEndpoint(state),
    rerankEndpoint(state),
    responsesEndpoint(state),
    messagesEndpoint(state),
    filesEndpoint(state),
    fileEndpoint(state),
    batchesEndpoint(state),
    batchEndpoint(state),
    modelsEndpoint,
    modelEndpoint,
    booksEndpoint(books),
    bookEntriesEndpoint(books),
    lastRequestsEndpoint(state.received),
    ...(scenario === null ? [] : [scenarioEndpoint(scenario)]),
    ...healthEndpoints({ books, isClosing: () => closing, runtimeMetrics: options.runtimeMetrics ?? null }),
  ]);

  const server = createServer(
    { keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs, noDelay: true },
    (request, response) => {
      const url = URL.parse(request.url ?? '', 'http://simulator');
      if (url === null) {
        sendFailure(response, invalidRequest(`Invalid URL (${request.method} ${request.url})`, null));
        return;
      }
      if (closing) response.setHeader('connection', 'close');
      const handler = handlerFor(find(url.pathname), request, url, response);
      if (handler === null) return;
      readBody(request, maximumBodyBytes, (body) => {
        if (body === 'too-large') sendFailure(response, failureOfKind('413', 0));
        else handler({ request, response, url, body });
      });
    },
  );

  return {
    books,
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          const address: AddressInfo | string | null = server.address();
          resolve({ port: typeof address === 'object' && address !== null ? address.port : port });
        });
      }),
    close: (graceMs = 5_000) =>
      new Promise((resolve) => {
        closing = true;
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        // A connection whose answer went out just now is idle, but kept open by its client.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearTimeout(cut);
          clearInterval(sweep);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** Exact paths by map, then the few that end in `/*`. */
function createRouter(endpoints: readonly Endpoint[]): (path: string) => Endpoint | null {
  const exact = new Map(endpoints.filter(({ path }) => !path.endsWith('/*')).map((endpoint) => [endpoint.path, endpoint]));
  const below = endpoints.filter(({ path }) => path.endsWith('/*'));
  return (path) => exact.get(path) ?? below.find((endpoint) => path.startsWith(endpoint.path.slice(0, -1))) ?? null;
}

/** The handler for this request; where there is none, answers as OpenAI does and returns null. */
function handlerFor(endpoint: Endpoint | null, request: IncomingMessage, url: URL, response: ServerResponse): Handler | null {
  const method = request.method ?? '';
  if (endpoint === null) {
    const message = `Invalid URL (${method} ${url.pathname})`;
    sendFailure(response, failure(404, { message, type: 'invalid_request_error', param: null, code: null }));
    return null;
  }
  const handler = Object.hasOwn(endpoint.handlers, method) ? endpoint.handlers[method] : undefined;
  if (handler !== undefined) return handler;
  const message = `Not allowed to ${method} on ${url.pathname}.`;
  const allow = Object.keys(endpoint.handlers).join(', ');
  sendFailure(response, failure(405, { message, type: 'invalid_request_error', param: null, code: 'method_not_supported' }, { allow }));
  return null;
}
