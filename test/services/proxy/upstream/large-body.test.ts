import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createUpstream } from '../../../../services/proxy/upstream/upstream.ts';
import { eventually } from '../../../harness/eventually.ts';
import { testTarget } from '../../../harness/test-target.ts';

async function startServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** Sends a body and tells how its call ended. */
async function send(baseUrl: string, body: Buffer | readonly Buffer[]): Promise<string> {
  const upstream = createUpstream({ ...testTarget('openai').provider, baseUrl });
  onTestFinished(() => upstream.destroy());
  let ended = '';
  upstream.take();
  upstream.send('POST', '/', [], body, {
    onUpstreamHead: (status) => {
      ended = String(status);
    },
    onUpstreamData: () => {},
    onUpstreamEnd: () => {
      ended += ' whole';
    },
    onUpstreamFailure: (kind) => {
      ended += ` ${kind}`;
    },
  });
  await eventually(() => ended.includes(' '));
  return ended;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

// The memory is given back when its last bit has left. Were that too early, a provider that reads slowly would be sent what lies there then.
test('a large body comes whole to a provider that reads slowly, and its memory is free when it has left', async () => {
  let heard = '';
  let length: string | undefined;
  const baseUrl = await startServer((request, response) => {
    const hash = createHash('sha256');
    length = request.headers['content-length'];
    request.pause();
    let read = 0;
    const slowly = setInterval(() => request.resume(), 5);
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      read += chunk.length;
      if (read % 1_000_003 < chunk.length) request.pause();
    });
    request.on('end', () => {
      clearInterval(slowly);
      heard = hash.digest('hex');
      response.end('{}');
    });
  });
  const body = Buffer.from(randomBytes(12_345_678));
  const pieces = [Buffer.from('before'), body.subarray(0, 5_000_001), Buffer.from('between'), body.subarray(5_000_001)];
  const expected = Buffer.concat(pieces);
  const expectedHash = sha256(expected);
  expect(await send(baseUrl, pieces)).toBe('200 whole');
  expect([heard, length]).toEqual([expectedHash, String(expected.length)]);
  expect(body.buffer.byteLength).toBe(0);
});

test('a provider that answers before it has read a large body is heard or fails, and nothing of the body is touched', async () => {
  const baseUrl = await startServer((_request, response) => {
    response.writeHead(413, { connection: 'close' });
    response.end('{}');
  });
  const body = Buffer.alloc(20_000_000, 'x');
  expect(await send(baseUrl, body)).toMatch(/^413 whole$|broken$/);
  expect(body.length === 0 || body.every((byte) => byte === 0x78)).toBe(true);
});
