import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { BodyReader } from '../../../../services/proxy/body/body-reader.ts';
import { createBodyReader } from '../../../../services/proxy/body/body-reader.ts';
import { HeldBytes } from '../../../../services/proxy/held-bytes.ts';
import { IncomingRequest } from '../../../../services/proxy/http/incoming-request.ts';
import { eventually } from '../../../harness/eventually.ts';

interface Setup {
  readonly reader: BodyReader<number>;
  readonly heard: unknown[];
  readonly arriving: () => number;
  /** A connection that has sent the head of a request and these bytes. */
  readonly send: (headers: readonly string[], ...parts: (string | Buffer)[]) => Promise<ReturnType<typeof connect>>;
  now: number;
}

/** A reader behind a real server, with its time in our hands; `heard` gets what becomes of each body. */
async function setup(receive: (value: unknown) => unknown = (value) => value): Promise<Setup> {
  const heard: unknown[] = [];
  let begun = 0;
  const clock = { now: () => 0, monotonic: () => state.now };
  const reader = createBodyReader<number>({
    limits: { maxBytes: 100, timeoutMs: 5_000 },
    tickMs: 5,
    clock,
    held: new HeldBytes(1_000_000),
    newMark: () => 'mark',
    refuse: (_context, error) => heard.push(error instanceof Error && 'code' in error ? error.code : error),
  });
  const server = createServer({ IncomingMessage: IncomingRequest }, (request) => {
    begun += 1;
    try {
      reader.read(request, begun, (_context, body) => heard.push(receive(body.value)));
    } catch (error) {
      heard.push(error instanceof Error && 'code' in error ? error.code : error);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    reader.stop();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const state: Setup = {
    reader,
    heard,
    arriving: () => begun,
    now: 1_000,
    send: async (headers, ...parts) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`);
      const already = begun;
      for (const part of parts) socket.write(part);
      await eventually(() => begun > already);
      return socket;
    },
  };
  return state;
}

const JSON_TYPE = 'content-type: application/json';
const CHUNKED = 'transfer-encoding: chunked';

test.each([
  ['in one piece', [JSON_TYPE, 'content-length: 7'], ['{"a":1}'], { a: 1 }],
  ['in many pieces', [JSON_TYPE, CHUNKED], ['1\r\n{\r\n', '3\r\n"a"\r\n', '3\r\n:1}\r\n', '0\r\n\r\n'], { a: 1 }],
  ['with a longer type', ['Content-Type: Application/Problem+JSON ; charset=utf-8', 'content-length: 2'], ['[]'], []],
  ['as gzip', [JSON_TYPE, 'content-encoding: X-GZIP', CHUNKED], [chunk(gzipSync('"é"')), '0\r\n\r\n'], 'é'],
  ['as deflate', [JSON_TYPE, 'content-encoding: deflate', CHUNKED], [chunk(deflateSync('7')), '0\r\n\r\n'], 7],
  ['not said to be compressed', [JSON_TYPE, 'content-encoding: identity', 'content-length: 1'], ['7'], 7],
])('a body %s is received', async (_name, headers, parts, expected) => {
  const { heard, send } = await setup();
  await send(headers, ...parts);
  await eventually(() => heard.length > 0);
  expect(heard).toEqual([expected]);
});

test.each([
  ['of another type', ['content-type: text/plain', 'content-length: 2'], [], 'unsupported_content_type'],
  ['of no type', ['content-length: 2'], ['{}'], 'unsupported_content_type'],
  ['of a type that only begins like JSON', ['content-type: application/jsonx', 'content-length: 2'], [], 'unsupported_content_type'],
  ['compressed otherwise', [JSON_TYPE, 'content-encoding: br', 'content-length: 2'], [], 'unsupported_content_type'],
  ['that is not there', [], [], 'invalid_json'],
  ['that is empty', [JSON_TYPE, 'content-length: 0'], [], 'invalid_json'],
  ['of more bytes than allowed', [JSON_TYPE, 'content-length: 101'], ['x'.repeat(101)], 'request_too_large'],
  ['without end', [JSON_TYPE, CHUNKED], ['191\r\n', 'x'.repeat(401)], 'request_too_large'],
  [
    'that unpacks to too much',
    [JSON_TYPE, 'content-encoding: gzip', CHUNKED],
    [chunk(gzipSync(' '.repeat(101))), '0\r\n\r\n'],
    'request_too_large',
  ],
])('a body %s is refused', async (_name, headers, parts, code) => {
  const { heard, send } = await setup();
  await send(headers, ...parts);
  await eventually(() => heard.length > 0);
  expect(heard).toEqual([code]);
});

test('bodies that follow each other on a connection, or hurry ahead, each come whole', async () => {
  const { heard, send } = await setup();
  const one = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n';
  const socket = await send([JSON_TYPE, 'content-length: 3'], `"a"${one}"b"${one}"`);
  await eventually(() => heard.length === 2);
  socket.write('c"');
  await eventually(() => heard.length === 3);
  expect(heard).toEqual(['a', 'b', 'c']);
});

test('a body has its time, each its own, and is told of once', async () => {
  const state = await setup();
  const early = await state.send([JSON_TYPE, 'content-length: 2'], '[');
  state.now += 3_000;
  await state.send([JSON_TYPE, 'content-length: 500'], 'x'.repeat(200));
  state.now += 2_001;
  await eventually(() => state.heard.length > 0);
  expect(state.heard).toEqual(['request_timeout']);
  early.write(']');
  early.destroy();
  state.now += 3_000;
  await eventually(() => state.heard.length > 1);
  expect(state.heard).toEqual(['request_timeout', 'request_too_large']);
});

test('a body whose sender leaves is told of as such', async () => {
  const { heard, send } = await setup();
  const socket = await send([JSON_TYPE, 'content-length: 2'], '[');
  socket.destroy();
  await eventually(() => heard.length > 0);
  expect(heard).toEqual(['client_closed_request']);
});

test('a stop gives up what still arrives', async () => {
  const { reader, heard, send } = await setup();
  await send([JSON_TYPE, 'content-length: 2'], '[');
  reader.stop();
  expect(heard).toEqual(['not_ready']);
});

test('what a receiver throws refuses its request', async () => {
  const fault = new Error('no');
  const { heard, send } = await setup(() => {
    throw fault;
  });
  await send([JSON_TYPE, 'content-length: 2'], '[]');
  await eventually(() => heard.length > 0);
  expect(heard).toEqual([fault]);
});

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
