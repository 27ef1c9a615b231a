import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { answerBrokenRequest, MAX_HEADER_BYTES } from './broken-request.ts';
import { IncomingRequest } from './incoming-request.ts';

export interface HttpServerOptions {
  /** Answers a request, now or later; must not throw. */
  readonly answer: (request: IncomingRequest, response: ServerResponse) => void;
  /** Time for a whole request to arrive. It only ends what has no deadline of its own. */
  readonly requestTimeoutMs: number;
  /** One more is closed at once. */
  readonly maxConnections: number;
}

/** A server of HTTP/1.1. */
export interface HttpServer {
  /**
   * @param port 0: any free one.
   * @returns `http://127.0.0.1:4000`, with the port it got.
   * @throws the system's error where the address cannot be listened on.
   */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /** Takes no connection any more; every answer from now on ends its connection. Resolves when the last one is closed. */
  close(): Promise<void>;
  /** Closes those without a request under way. */
  closeIdleConnections(): void;
  closeAllConnections(): void;
}

const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than the usual idle time of a load balancer in front (60 s), so that it is never we who close under its request. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CONNECTIONS_CHECK_MS = 5_000;

/** Builds a server straight on `node:http`: no framework stands between a request and its handler (infra/decisions). */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { answer, requestTimeoutMs } = options;
  let closing = false;
  const server = createServer(
    {
      IncomingMessage: IncomingRequest,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      noDelay: true,
    },
    (request, response) => {
      if (closing) response.shouldKeepAlive = false;
      answer(request, response);
    },
  );
  server.maxConnections = options.maxConnections;
  server.on('clientError', answerBrokenRequest);

  return {
    listen: async ({ host, port }) => {
      server.listen({ host, port });
      await once(server, 'listening');
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    },
    close: async () => {
      closing = true;
      const closed = once(server, 'close');
      // Also where it never listened: Node's timer for its connections ends here.
      server.close();
      await closed;
    },
    closeIdleConnections: () => server.closeIdleConnections(),
    closeAllConnections: () => server.closeAllConnections(),
  };
}
