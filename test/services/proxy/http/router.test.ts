import { once } from 'node:events';
import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Handler } from '../../../../services/proxy/http/router.ts';
import { createRouter } from '../../../../services/proxy/http/router.ts';
import type { HttpServer } from '../../../../services/proxy/http/server.ts';
import { createHttpServer } from '../../../../services/proxy/http/server.ts';

const say =
  (name: string): Handler =>
  (_request, response, rest) => {
    response.end(`${name}:${rest}`);
  };
const answer = createRouter(
  [
    { method: 'POST', path: '/v1/chat', handle: say('chat') },
    { method: 'GET', path: '/v1/models', handle: say('models') },
    { method: 'GET', path: '/v1/models/', handle: say('model') },
    { method: 'GET', path: '/v1/models/:count', handle: say('count') },
  ],
  say('none'),
);

let server: HttpServer;
let url: URL;
beforeAll(async () => {
  server = createHttpServer({ answer, requestTimeoutMs: 1_000, maxConnections: 10 });
  url = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(async () => {
  server.closeAllConnections();
  await server.close();
});

/** The request target goes out as it stands here, not as a URL parser would mend it. */
async function ask(method: string, target: string): Promise<string> {
  const call = send({ host: url.hostname, port: url.port, method, path: target, agent: false });
  call.end();
  const [response] = await once(call, 'response');
  return text(response);
}

test.each([
  ['POST', '/v1/chat', 'chat:'],
  ['POST', '/v1/chat?api-version=2', 'chat:'],
  ['POST', 'http://gateway.example/v1/chat?x=1', 'chat:'],
  ['GET', '/v1/models', 'models:'],
  ['GET', '/v1/models/acme/fast', 'model:acme/fast'],
  ['GET', '/v1/models/acme%2Ffast?x=/y', 'model:acme%2Ffast'],
  ['GET', '/v1/models/', 'model:'],
  ['GET', '/v1/models/acme/fast:count?x=1', 'count:acme/fast:count'],
  ['GET', '/v1/models/acme/fast:counts', 'model:acme/fast:counts'],
  ['POST', '/v1/models/acme/fast:count', 'none:/v1/models/acme/fast:count'],
  // Not what was asked for, or not in these words.
  ['GET', '/v1/chat', 'none:/v1/chat'],
  ['HEAD', '/v1/models', ''],
  ['POST', '/v1/models/x', 'none:/v1/models/x'],
  ['GET', '/V1/models', 'none:/V1/models'],
  ['GET', '/v1//models', 'none:/v1//models'],
  ['POST', '/v1/chat/', 'none:/v1/chat/'],
  ['GET', '/v1/%6Dodels', 'none:/v1/%6Dodels'],
  ['GET', '/v1%2Fmodels', 'none:/v1%2Fmodels'],
  ['GET', '/v1/../v1/models', 'none:/v1/../v1/models'],
  ['GET', 'http://gateway.example?x', 'none:'],
  ['OPTIONS', '*', 'none:*'],
])('%s %s', async (method, target, expected) => {
  expect(await ask(method, target)).toBe(expected);
});
