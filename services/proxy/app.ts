import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import { ERRORS, GatewayError } from '../../schema/errors.ts';
import { errorEnvelope } from '../../schema/http/error-envelope.ts';
import { mintId } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Admit } from './admission/admission.ts';
import { labelExchange } from './admission/admission.ts';
import { providerHeaders } from './answer/answer-headers.ts';
import { errorAnswer, sendErrorAnswer } from './answer/error-answer.ts';
import { sendJson } from './answer/json-answer.ts';
import { readBody } from './body/read-body.ts';
import type { ReceivedBody } from './body/received-body.ts';
import { CHAT_COMPLETIONS } from './endpoints/chat-completions.ts';
import { findModel, listModels, MODELS } from './endpoints/models.ts';
import type { Exchange } from './exchange.ts';
import type { ProxyLimits } from './proxy-limits.ts';
import type { Books } from './settlement/books.ts';
import type { Entropy } from './settlement/entropy.ts';
import { localEnding } from './settlement/settle.ts';

export interface AppOptions {
  readonly admit: Admit;
  readonly chatCompletions: (exchange: Exchange, body: ReceivedBody | undefined) => void;
  readonly books: Books;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly limits: ProxyLimits;
  /** Counts a request that was refused without an event, by code. */
  readonly onUnauthenticated: (code: string) => void;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated request; null before its admission. */
    exchange: Exchange | null;
  }
}

const ID_ENTROPY_BYTES = 10;
const MAX_HEADER_BYTES = 32 * 1024;
const HEADERS_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** As long as a model's name may be, percent-encoded. */
const MAX_MODEL_ID = 1_024;
const CONNECTIONS_CHECK_MS = 5_000;

/** Builds the HTTP side of the proxy. It does not listen, and knows neither disk nor database. */
export function createApp(options: AppOptions): FastifyInstance {
  const { admit, chatCompletions, books, clock, entropy, limits } = options;
  const app = fastify({
    logger: false,
    genReqId: () => mintId('request', clock.now(), entropy.take(ID_ENTROPY_BYTES)),
    return503OnClosing: false,
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      reply.hijack();
      const answer = new GatewayError('invalid_request', { message: 'The address of the request is not valid.', cause: error });
      sendErrorAnswer(reply.raw, request.id, errorAnswer(answer, request.id));
    },
    routerOptions: { maxParamLength: MAX_MODEL_ID },
    // The body's own deadline is shorter; this one only ends what never became a request.
    requestTimeout: limits.body.timeoutMs * 2,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    bodyLimit: limits.body.maxBytes,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      noDelay: true,
    },
  });
  app.decorateRequest('exchange', null);

  const admitTo =
    (endpoint: string) =>
    (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
      try {
        request.exchange = admit(request, reply.raw, endpoint);
        labelExchange(request.exchange);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    };

  app.removeAllContentTypeParsers();
  // By its name too: Fastify remembers the parser of a name, but not that a type falls to `*`.
  for (const type of ['application/json', '*']) {
    app.addContentTypeParser(type, (request: FastifyRequest, _payload, done) => {
      // Nobody unknown makes us hold a body; of an unknown path there is none to read.
      if (request.exchange === null) done(null, undefined);
      else readBody(request.raw, limits.body, clock, done);
    });
  }

  const answered = (exchange: Exchange, reply: FastifyReply, value: unknown): void => {
    exchange.settled = true;
    exchange.nameSubject(entropy);
    const ending = localEnding('succeeded', 200, null, clock.monotonic() - exchange.arrivedAt);
    const written = books.append(exchange, exchange.subject, ending, () => sendJson(reply.raw, exchange.requestId, value));
    if (written) return;
    sendErrorAnswer(reply.raw, exchange.requestId, errorAnswer(new GatewayError('accounting_unavailable'), exchange.requestId));
  };

  app.post(
    CHAT_COMPLETIONS,
    { onRequest: admitTo(CHAT_COMPLETIONS) },
    (request: FastifyRequest<{ Body: ReceivedBody | undefined }>, reply) => {
      chatCompletions(exchangeOf(request), request.body);
      reply.hijack();
    },
  );
  app.get(MODELS, { onRequest: admitTo(MODELS) }, (request, reply) => {
    const exchange = exchangeOf(request);
    reply.hijack();
    answered(exchange, reply, listModels(exchange.snapshot, exchange.key));
  });
  app.get(`${MODELS}/*`, { onRequest: admitTo(MODELS) }, (request: FastifyRequest<{ Params: { '*': string } }>, reply) => {
    const exchange = exchangeOf(request);
    const id = request.params['*'];
    exchange.modelRequested = id;
    const model = findModel(exchange.snapshot, exchange.key, id);
    reply.hijack();
    answered(exchange, reply, model);
  });

  /** Settles a request that called no provider, then answers it. */
  const refuse = (exchange: Exchange, reply: FastifyReply, error: GatewayError): void => {
    const { status } = ERRORS[error.code];
    const outcome = error.code === 'client_closed_request' ? 'cancelled' : status < 500 ? 'rejected' : 'failed';
    const send = (answer: GatewayError): void =>
      sendErrorAnswer(reply.raw, exchange.requestId, errorAnswer(answer, exchange.requestId), [
        ...(exchange.target === null ? [] : providerHeaders(exchange.target)),
        ...(mustClose(answer) ? ['connection', 'close'] : []),
      ]);
    exchange.settled = true;
    exchange.nameSubject(entropy);
    const ending = localEnding(outcome, status, error.code, clock.monotonic() - exchange.arrivedAt);
    if (!books.append(exchange, exchange.subject, ending, () => send(error)))
      send(new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 }));
  };

  app.setErrorHandler((cause, request, reply) => {
    const error = gatewayErrorOf(cause);
    if (error.code === 'internal_error')
      options.log.error({ error: cause, requestId: request.id }, 'a request failed by a fault of the gateway');
    reply.hijack();
    const { exchange } = request;
    if (exchange === null) {
      options.onUnauthenticated(error.code);
      sendErrorAnswer(reply.raw, request.id, errorAnswer(error, request.id), ['connection', 'close']);
    } else if (!exchange.settled) refuse(exchange, reply, error);
  });

  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    const message = `There is no endpoint ${request.method} ${request.url.split('?')[0]}.`;
    sendErrorAnswer(reply.raw, request.id, errorAnswer(new GatewayError('endpoint_not_found', { message }), request.id));
  });
  return app;
}

/** Errors after which bytes of the request may still be under way. */
function mustClose(error: GatewayError): boolean {
  return error.code === 'request_too_large' || error.code === 'request_timeout' || error.code === 'unsupported_content_type';
}

function exchangeOf(request: FastifyRequest): Exchange {
  if (request.exchange === null) throw new Error('a route without admission');
  return request.exchange;
}

/** Fastify's own refusals in the catalogue's words; anything unknown is a fault of ours. */
function gatewayErrorOf(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_TYPE':
      return new GatewayError('unsupported_content_type');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new GatewayError('request_too_large');
    default:
      return new GatewayError('internal_error', { cause: error });
  }
}

/** Answers what never became a request (header bombs, broken HTTP, headers that do not come) and ends the connection. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // Once an answer has begun on this connection, another status line would stand in the middle of it.
  if (!socket.writable || socket.bytesWritten > 0 || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', `The request's headers are larger than ${MAX_HEADER_BYTES} bytes.`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', ERRORS.request_timeout.message]
        : ['400 Bad Request', 'The request is not valid HTTP.'];
  const code = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'invalid_request';
  const { error: body } = errorEnvelope(code, message, null, {}, '');
  const text = JSON.stringify({ error: { message: body.message, type: body.type, param: null, code: body.code } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
