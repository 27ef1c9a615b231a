import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createHttpServer } from '../../../../services/proxy/http/server.ts';
import { eventually } from '../../../harness/eventually.ts';

const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

test('a connection serves one request after another until the server closes; then the answer under way ends it', async () => {
  const waiting: ServerResponse[] = [];
  const server = createHttpServer({ answer: (_request, response) => waiting.push(response), requestTimeoutMs: 1_000, maxConnections: 10 });
  const { hostname, port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('data', (part) => {
    heard += part.toString();
  });
  socket.write(GET);
  (await eventually(() => waiting.shift())).end('one');
  await eventually(() => heard.endsWith('one\r\n0\r\n\r\n') || heard.endsWith('one'));
  expect(heard).toMatch(/connection: keep-alive/i);

  socket.write(GET);
  const second = await eventually(() => waiting.shift());
  const closed = server.close();
  socket.write(GET);
  second.end('two');
  const third = await eventually(() => waiting.shift());
  third.end('three');
  await once(socket, 'close');
  await closed;
  expect(heard.slice(heard.indexOf('two'))).toMatch(/connection: close[\s\S]*three/i);
  await expect(fetch(`http://${hostname}:${port}/`)).rejects.toThrow();
});

test('an address that is taken is the caller’s to explain', async () => {
  const first = createHttpServer({ answer: (_request, response) => response.end(), requestTimeoutMs: 1_000, maxConnections: 10 });
  const port = Number(new URL(await first.listen({ host: '127.0.0.1', port: 0 })).port);
  const second = createHttpServer({ answer: (_request, response) => response.end(), requestTimeoutMs: 1_000, maxConnections: 10 });
  await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await second.close();
  await first.close();
});
