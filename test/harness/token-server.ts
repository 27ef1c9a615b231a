import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';

/** A request for a token, as it came. */
export interface TokenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

/** A server that gives access tokens, on a real socket: `token-1`, `token-2`, … */
export interface TokenServer {
  readonly url: string;
  readonly requests: TokenRequest[];
  /** How long the next tokens live. */
  lifeSeconds: number;
  /** Set to have requests refused with that error. */
  refusal: string | null;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

export async function startTokenServer(): Promise<TokenServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      tokens.requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, form });
      const { refusal, lifeSeconds, requests } = tokens;
      // The metadata server of Google says by this who it is.
      response.writeHead(refusal === null ? 200 : 401, { 'content-type': 'application/json', 'metadata-flavor': 'Google' });
      response.end(
        JSON.stringify(
          refusal === null
            ? { access_token: `token-${requests.length}`, expires_in: lifeSeconds, token_type: 'Bearer' }
            : { error: refusal, error_description: 'no' },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const tokens: TokenServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    lifeSeconds: 3_600,
    refusal: null,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tokens;
}
