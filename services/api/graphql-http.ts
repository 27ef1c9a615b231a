import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { createYoga } from 'graphql-yoga';
import { idFromUuid, mintUuid } from '../../schema/values/ids.ts';
import type { ClientAddressOf } from '../runtime/client-address.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Authenticate, Authentication } from './authenticate.ts';
import type { Charge } from './cost-buckets.ts';
import { principalRule } from './cost-buckets.ts';
import type { GraphiqlPage } from './graphiql.ts';
import type { MaskErrors } from './mask-errors.ts';
import type { OperationGate } from './operation-gate.ts';
import type { OperationRunner } from './operation-runner.ts';
import type { Principals } from './principals.ts';

/** Largest body; the longest document is far smaller, the rest is for variables. */
const mostBodyBytes = 262_144;
const endpoint = '/graphql';

/** Passed through Yoga with each request. */
interface HttpContext {
  readonly http: {
    readonly authentication: Extract<Authentication, { kind: 'known' }>;
    readonly requestId: string;
    readonly request: FastifyRequest;
    /** Whose request it is; null where that is not known. */
    readonly address: string | null;
    /** Set once the operation was charged, for the headers. */
    charge: Charge | null;
  };
}

/** Statuses that hold whatever the client accepts; all other refusals follow the GraphQL-over-HTTP specification. */
const fixedStatus: Readonly<Record<string, number>> = { THROTTLED: 429, OPERATION_TOO_EXPENSIVE: 400 };

/**
 * GraphQL over HTTP and SSE: Fastify takes the request, the key is checked before the body is read, Yoga parses the request
 * and writes the answer, the gate and the runner (the same as for WebSocket) do what lies between.
 */
export function addGraphqlHttp(
  app: FastifyInstance,
  options: {
    readonly schema: GraphQLSchema;
    readonly gate: OperationGate;
    readonly runner: OperationRunner;
    readonly authenticate: Authenticate;
    readonly principals: Principals;
    readonly clientAddress: ClientAddressOf;
    readonly maskErrors: MaskErrors;
    readonly graphiql: GraphiqlPage;
    readonly clock: Clock;
    readonly random: Random;
  },
): void {
  const { gate, runner, authenticate, principals, clientAddress, maskErrors, graphiql, clock, random } = options;

  const operations: Plugin<object, HttpContext> = {
    onRequestParse: () => ({
      // The specification wants members it does not know to be ignored; Yoga refuses them.
      onRequestParseDone: ({ requestParserResult, setRequestParserResult }) => {
        if (Array.isArray(requestParserResult) || typeof requestParserResult !== 'object' || requestParserResult === null) return;
        const { query, variables, operationName, extensions } = requestParserResult;
        setRequestParserResult({
          ...(query === undefined ? {} : { query }),
          ...(variables === undefined ? {} : { variables }),
          ...(operationName === undefined ? {} : { operationName }),
          ...(extensions === undefined ? {} : { extensions }),
        });
      },
    }),
    onParams: ({ setParamsHandler }) => {
      setParamsHandler(async ({ params, context, request }) => {
        const { http } = context as HttpContext & typeof context;
        const admission = gate(params);
        if (admission.kind === 'refused') return { errors: admission.errors.map((error) => withStatus(error, 400)) };
        const { operation } = admission;
        if (operation.operation.operation === 'subscription' && request.headers.get('accept') !== 'text/event-stream') {
          const message = 'A subscription needs `Accept: text/event-stream`, or a WebSocket.';
          return { errors: [new GraphQLError(message, { extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406 } } })] };
        }
        const { viewer, principal, presented } = http.authentication;
        const caller = {
          viewer,
          watch: () => principals.watch(presented, http.address ?? '', principal),
          origin: {
            requestId: http.requestId,
            address: http.address,
            userAgent: http.request.headers['user-agent']?.slice(0, 256) ?? null,
          },
        };
        try {
          const { result, charge } = await runner.run(operation, caller, request.signal);
          http.charge = charge;
          if (Symbol.asyncIterator in result || result.errors === undefined || result.data !== undefined) return result;
          return { ...result, errors: result.errors.map((error) => withStatus(error, 400)) };
        } catch (error) {
          const wrapped = new GraphQLError('Unexpected error.', {
            originalError: error instanceof Error ? error : new Error(String(error)),
          });
          return { errors: maskErrors([wrapped]).map((masked) => withStatus(masked, 500)) };
        }
      });
    },
    onResponse: ({ response, serverContext }) => {
      const { charge, requestId } = serverContext.http;
      response.headers.set('x-request-id', requestId);
      response.headers.set(
        'cache-control',
        response.headers.get('content-type')?.startsWith('text/event-stream') === true ? 'no-cache, no-transform' : 'no-store',
      );
      if (charge === null) return;
      const { limit, restorePerSecond } = principalRule;
      response.headers.set('ratelimit-policy', `"graphql";q=${limit};w=${limit / restorePerSecond}`);
      response.headers.set('ratelimit', `"graphql";r=${charge.remaining};t=${Math.ceil((limit - charge.remaining) / restorePerSecond)}`);
      if (!charge.granted) response.headers.set('retry-after', String(Math.ceil(charge.retryAfterMs / 1_000)));
    },
  };

  const yoga = createYoga<HttpContext>({
    schema: options.schema,
    graphqlEndpoint: endpoint,
    graphiql: false,
    landingPage: false,
    cors: false,
    batching: false,
    multipart: false,
    maskedErrors: false,
    logging: false,
    parserAndValidationCache: false,
    maxRequestBodySize: mostBodyBytes,
    plugins: [operations],
  });

  // Yoga reads the body itself, within its bound.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  const refuse = (reply: FastifyReply, status: number, code: string, message: string): FastifyReply => {
    const accepted = reply.request.headers.accept?.includes('application/graphql-response+json') === true;
    return reply
      .code(status)
      .header('content-type', accepted ? 'application/graphql-response+json; charset=utf-8' : 'application/json; charset=utf-8')
      .send(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
  };

  app.get(endpoint, (request, reply) => {
    if (request.headers.accept?.includes('text/html') === true && request.headers['sec-fetch-dest'] !== 'empty') {
      if (request.headers['if-none-match'] === graphiql.headers.etag) return reply.code(304).send();
      return reply.headers(graphiql.headers).send(graphiql.html);
    }
    return refuse(reply.header('allow', 'POST'), 405, 'METHOD_NOT_ALLOWED', 'Send operations by POST.');
  });
  app.route({
    method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: endpoint,
    handler: (_request, reply) => refuse(reply.header('allow', 'GET, POST'), 405, 'METHOD_NOT_ALLOWED', 'Send operations by POST.'),
  });

  app.post(endpoint, async (request, reply) => {
    // JSON cannot be sent across origins without a preflight, which nobody here answers: that is the guard against CSRF.
    if (!/^application\/(graphql\+)?json\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(request.headers['content-type'] ?? '')) {
      return refuse(
        reply.header('accept-post', 'application/json'),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'Send `Content-Type: application/json` in UTF-8.',
      );
    }
    const address = clientAddress(request.raw);
    const authentication = await authenticate(request.headers.authorization, address ?? '');
    if (authentication.kind === 'refused') {
      const { status, code, message, retryAfterSeconds } = authentication.refusal;
      if (status === 401) reply.header('www-authenticate', 'Bearer realm="turnpike"');
      if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds));
      return refuse(reply, status, code, message);
    }
    // A client that wants a stream gets one, also where it would take other things as well.
    if (request.headers.accept?.includes('text/event-stream') === true) request.raw.headers.accept = 'text/event-stream';
    const requestId = idFromUuid('request', mintUuid(clock.now(), random.bytes(10)));
    reply.hijack();
    await yoga(request.raw, reply.raw, { http: { authentication, requestId, request, address, charge: null } });
    return reply;
  });
}

/** Errors that Yoga answers with a status instead of 200, as the specification says for what the client accepts. */
function withStatus(error: GraphQLError, status: number): GraphQLError {
  const fixed = fixedStatus[String(error.extensions.code)];
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    path: error.path ?? null,
    extensions: { ...error.extensions, http: fixed === undefined ? { status, spec: true } : { status: fixed } },
  });
}
