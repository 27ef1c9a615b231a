import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';

/**
 * What we are measured against, a process of its own: a node:http server that passes requests on by `Pool.dispatch`, as lean as it can be
 * and still honest. Reads the whole body (so does a gateway), passes it and the two headers that matter, returns status, type and bytes.
 * No parsing, no key, no log, no book.
 */
const [origin = ''] = process.argv.slice(2);
const pool = new Pool(origin, { connections: 64, pipelining: 1, keepAliveTimeout: 60_000 });

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#response.writeHead(status, [
      'content-type',
      String(headers['content-type']),
      'content-length',
      String(headers['content-length']),
    ]);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response.write(chunk);
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

const passOn = (request: IncomingMessage, response: ServerResponse): void => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => {
    parts.push(part);
  });
  request.on('end', () => {
    const body = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    const headers = ['content-type', 'application/json', 'authorization', 'Bearer bench'];
    pool.dispatch({ path: request.url ?? '/', method: 'POST', headers, body }, new Relay(response));
  });
};

const server = createServer({ keepAliveTimeout: 75_000, noDelay: true }, passOn);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
