import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../schema/errors.ts';
import { MODELS } from '../../schema/http/models.ts';
import { mintId } from '../../schema/values/ids.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HealthAnswers } from '../runtime/health-answers.ts';
import type { Log } from '../runtime/log.ts';
import type { Admit } from './admission/admission.ts';
import { labelExchange, limitExchange, overrideExchange } from './admission/admission.ts';
import { errorAnswer, sendErrorAnswer } from './answer/error-answer.ts';
import { sendJson } from './answer/json-answer.ts';
import { openaiErrors } from './answer/openai-errors.ts';
import { createBodyReader } from './body/body-reader.ts';
import type { ReceivedBody } from './body/received-body.ts';
import type { AccountEndpoint } from './endpoints/account-endpoint.ts';
import { findModel, listModels } from './endpoints/models.ts';
import { noEndpoint } from './endpoints/no-endpoint.ts';
import type { PassedRequest, PassThrough } from './endpoints/pass-through.ts';
import { passThroughEndpoint } from './endpoints/pass-through.ts';
import type { ServedEndpoint } from './endpoints/served-endpoint.ts';
import type { AskedEndpoint, Exchange } from './exchange.ts';
import type { HeldBytes } from './held-bytes.ts';
import { healthRoutes } from './http/health-routes.ts';
import type { IncomingRequest } from './http/incoming-request.ts';
import { requestQuery } from './http/request-path.ts';
import type { Handler, Route } from './http/router.ts';
import { createRouter } from './http/router.ts';
import type { HttpServer } from './http/server.ts';
import { createHttpServer } from './http/server.ts';
import { providerSegment } from './pass-through/provider-address.ts';
import type { ProxyLimits } from './proxy-limits.ts';
import { createRefusals } from './refusals.ts';
import type { Books } from './settlement/books.ts';
import type { Entropy } from './settlement/entropy.ts';
import { localEnding } from './settlement/settle.ts';
import type { HttpMethod } from './upstream/upstream.ts';

export interface AppOptions {
  readonly admit: Admit;
  /** The endpoints that providers answer. */
  readonly endpoints: readonly ServedEndpoint[];
  /** Those for what is kept at providers. */
  readonly accounts: readonly AccountEndpoint[];
  readonly passThrough: PassThrough;
  /** How a provider of that name is spoken to; null: nobody has one. */
  readonly protocolOf: (name: string) => ProviderProtocol | null;
  readonly health: HealthAnswers;
  readonly books: Books;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly limits: ProxyLimits;
  readonly held: HeldBytes;
  /** Counts a request that was refused without an event, by code. */
  readonly onUnauthenticated: (code: string) => void;
}

/** The HTTP side of the proxy. */
export interface App extends HttpServer {
  /** Requests whose body still arrives. */
  arrivingBodies(): number;
  /** Refuses the requests whose body still arrives: nothing could come of them any more. */
  giveUpBodies(): void;
}

/** Serves an endpoint to an authenticated request. What it throws refuses the request. */
type Serve = (exchange: Exchange, request: IncomingRequest, rest: string) => void;

const MODELS_ENDPOINT: AskedEndpoint = { path: MODELS, errors: openaiErrors };
/** By which a provider is asked for what has no endpoint here. */
const METHODS: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const ID_ENTROPY_BYTES = 10;
const MARK_BYTES = 16;
/** As long as a model's name may be, percent-encoded. */
const MAX_MODEL_ID = 1_024;

/** Builds the HTTP side of the proxy. It does not listen, and knows neither disk nor database. */
export function createApp(options: AppOptions): App {
  const { admit, endpoints, books, clock, entropy, limits, log } = options;
  const refusals = createRefusals({ books, clock, entropy, log, onUnauthenticated: options.onUnauthenticated });
  const bodies = createBodyReader<Exchange>({
    limits: limits.body,
    tickMs: limits.tickMs,
    clock,
    held: options.held,
    newMark: () => entropy.take(MARK_BYTES).toString('hex'),
    refuse: refusals.refuse,
  });
  const newRequestId = (): string => mintId('request', clock.now(), entropy.take(ID_ENTROPY_BYTES));

  /** Lets in who is known, before any byte of a body is read: nobody else makes us hold one. */
  const admitted =
    (endpoint: AskedEndpoint, serve: Serve): Handler =>
    (request, response, rest) => {
      const requestId = newRequestId();
      let exchange: Exchange | null = null;
      try {
        exchange = admit(request, requestId, response, endpoint);
        limitExchange(exchange);
        labelExchange(exchange);
        overrideExchange(exchange);
        serve(exchange, request, rest);
      } catch (error) {
        if (exchange === null) refusals.unknownCaller({ response, requestId, errors: endpoint.errors }, error);
        else refusals.refuse(exchange, error);
      }
    };

  const posted = (endpoint: ServedEndpoint): Route[] => {
    const { paths, serve } = endpoint;
    const receive = (exchange: Exchange, body: ReceivedBody): void => serve(exchange, body, '', refusals.refuse);
    const receiveBelow = (rest: string) => (exchange: Exchange, body: ReceivedBody) => serve(exchange, body, rest, refusals.refuse);
    const readBody = { json: bodies.read, media: bodies.readMedia, form: bodies.readForm }[endpoint.body];
    const read: Serve = (exchange, request, rest) =>
      readBody(request, exchange, rest === '' ? receive : receiveBelow(rest + requestQuery(request.url ?? '')));
    const handle = admitted(endpoint, read);
    return paths.map((path) => ({ method: 'POST', path, handle }));
  };

  const kept = (endpoint: AccountEndpoint): Route[] =>
    endpoint.routes.map(({ method, path, serve }) => ({
      method,
      path,
      handle: admitted(endpoint, (exchange, request, rest) => serve(exchange, request, rest, refusals.refuse)),
    }));

  const passThrough = (passed: PassedRequest, protocol: ProviderProtocol): Handler => {
    const receive = (exchange: Exchange, body: ReceivedBody): void => options.passThrough(exchange, passed, body, refusals.refuse);
    return admitted(passThroughEndpoint(protocol), (exchange, request) => bodies.readRaw(request, exchange, receive));
  };

  const answerWith = (exchange: Exchange, value: unknown): void => {
    exchange.nameSubject(entropy);
    const ending = localEnding('succeeded', 200, null, clock.monotonic() - exchange.arrivedAt);
    const written = books.append(exchange, exchange.subject, ending, () => sendJson(exchange, value));
    exchange.settled = true;
    if (!written) sendErrorAnswer(exchange, errorAnswer(exchange, new GatewayError('accounting_unavailable')));
  };

  const serveModel = admitted(MODELS_ENDPOINT, (exchange, _request, id) => {
    exchange.modelRequested = id;
    answerWith(exchange, findModel(exchange.snapshot, exchange.key, id));
  });

  const answerUnasked = (response: ServerResponse, error: GatewayError): void => {
    const nobody = { response, requestId: newRequestId(), errors: openaiErrors };
    sendErrorAnswer(nobody, errorAnswer(nobody, error));
  };

  const route = createRouter(
    [
      ...endpoints.flatMap(posted),
      ...options.accounts.flatMap(kept),
      {
        method: 'GET',
        path: MODELS,
        handle: admitted(MODELS_ENDPOINT, (exchange) => answerWith(exchange, listModels(exchange.snapshot, exchange.key))),
      },
      {
        method: 'GET',
        path: `${MODELS}/`,
        handle: (request, response, rest) => {
          const id = decodedModelId(rest);
          if (id !== null) serveModel(request, response, id);
          else answerUnasked(response, new GatewayError('invalid_request', { message: 'The address of the request is not valid.' }));
        },
      },
      ...healthRoutes(options.health, (response, cause) => {
        log.error({ error: cause }, 'health could not be told');
        answerUnasked(response, new GatewayError('internal_error', { cause }));
      }),
    ],
    (request, response, path) => {
      const provider = providerSegment(path);
      const method = METHODS.find((known) => known === request.method);
      const protocol = provider === null ? null : options.protocolOf(provider);
      if (provider !== null && method !== undefined && protocol !== null)
        passThrough({ method, target: request.url ?? '', provider }, protocol)(request, response, '');
      else answerUnasked(response, noEndpoint(request.method ?? '', path));
    },
  );

  return {
    // The body's own deadline is shorter; this one only ends what never became a request.
    ...createHttpServer({ answer: route, requestTimeoutMs: limits.body.timeoutMs * 2, maxConnections: limits.maxConnections }),
    arrivingBodies: bodies.arriving,
    giveUpBodies: bodies.stop,
  };
}

/** The model an address names, or null when it is no text. */
function decodedModelId(encoded: string): string | null {
  if (encoded.length > MAX_MODEL_ID) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
