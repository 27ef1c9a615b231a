import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { acme: upstream.baseUrl },
    models: [testModel('acme/fast')],
    limits: { body: { maxBytes: 1024 * 1024, timeoutMs: 30_000 } },
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const valid = { model: 'fast', messages: [{ role: 'user', content: 'hello' }] };
const post = (body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${proxy.url}/v1/chat/completions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${proxy.key}`, ...headers },
  });

/** Sends raw bytes and gives back all that comes until the connection ends. */
function raw(parts: readonly (string | Buffer)[], end = false, url = proxy.url): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error) =>
      'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE') ? resolve(answer) : reject(error),
    );
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });
}
const head = (lines: readonly string[]): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

describe('a body that is refused', () => {
  test.each([
    ['malformed JSON', '{"model": ', 400, 'invalid_json', null],
    ['empty', '', 400, 'invalid_json', null],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'invalid_json', null],
    ['an array', '[]', 400, 'invalid_request', null],
    ['a number', '7', 400, 'invalid_request', null],
    ['without a model', JSON.stringify({ messages: valid.messages }), 400, 'invalid_request', 'model'],
    ['with a model that is no text', JSON.stringify({ ...valid, model: 5 }), 400, 'invalid_request', 'model'],
    ['without messages', JSON.stringify({ model: 'fast' }), 400, 'invalid_request', 'messages'],
    ['with a message that is no object', JSON.stringify({ ...valid, messages: ['x'] }), 400, 'invalid_request', 'messages[0]'],
    ['with stream as text', JSON.stringify({ ...valid, stream: 'yes' }), 400, 'invalid_request', 'stream'],
    ['with n zero', JSON.stringify({ ...valid, n: 0 }), 400, 'invalid_request', 'n'],
    ['with max_tokens negative', JSON.stringify({ ...valid, max_tokens: -1 }), 400, 'invalid_request', 'max_tokens'],
    [
      'with a wrong usage option',
      JSON.stringify({ ...valid, stream: true, stream_options: { include_usage: 1 } }),
      400,
      'invalid_request',
      'stream_options.include_usage',
    ],
    ['too large', JSON.stringify({ ...valid, pad: 'x'.repeat(1024 * 1024) }), 413, 'request_too_large', null],
    ['nested without end', '['.repeat(200_000), 400, 'invalid_json', null],
    ['an unknown model', JSON.stringify({ ...valid, model: 'no/such' }), 404, 'model_not_found', 'model'],
  ] as const)('because it is %s says so and is booked once', async (_name, body, status, code, param) => {
    const calls = upstream.requests.length;
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { error } = Object(await response.json());
    expect(error).toMatchObject({ code, param, type: 'invalid_request_error', message: expect.any(String) });
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'rejected',
      status,
      errorCode: code,
      costPico: '0',
      attempts: [],
    });
    expect(upstream.requests).toHaveLength(calls);
  });

  test('because of its content type', async () => {
    const response = await post(JSON.stringify(valid), { 'content-type': 'text/plain' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_content_type' } });
  });

  test('because it is neither there nor announced', async () => {
    const answer = await raw([head([`authorization: Bearer ${proxy.key}`, 'connection: close'])]);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"invalid_json"/);
    expect(await proxy.eventOf(/x-request-id: (req_\w+)/.exec(answer)?.[1] ?? null)).toMatchObject({ outcome: 'rejected', status: 400 });
  });

  test('because it comes too slowly', async () => {
    await using hasty = await startProxy({ providers: {}, models: [], limits: { body: { maxBytes: 1024 * 1024, timeoutMs: 300 } } });
    const answer = await raw(
      [head([`authorization: Bearer ${hasty.key}`, 'content-type: application/json', 'content-length: 100']), '{"model":'],
      false,
      hasty.url,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
    const id = /x-request-id: (req_\w+)/.exec(answer)?.[1] ?? null;
    expect(await hasty.eventOf(id)).toMatchObject({ outcome: 'rejected', status: 408 });
  });

  test('because of its key is refused before it is read', async () => {
    const answer = await raw([head(['authorization: Bearer tpk_ak_nope', 'content-type: application/json', 'content-length: 100'])]);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('because its sender left half way is booked as cancelled', async () => {
    const before = proxy.events.length;
    await raw([head([`authorization: Bearer ${proxy.key}`, 'content-type: application/json', 'content-length: 100']), '{"model":'], true);
    await eventually(() => proxy.events.length > before);
    expect(proxy.events).toHaveLength(before + 1);
    expect(proxy.events.at(-1)?.event).toMatchObject({ outcome: 'cancelled', status: 499, errorCode: 'client_closed_request' });
  });
});

describe('a compressed body', () => {
  test('is read', async () => {
    const response = await post(new Uint8Array(gzipSync(JSON.stringify(valid))), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(200);
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual(valid);
    expect(upstream.requests.at(-1)?.headers['content-encoding']).toBeUndefined();
  });

  test('that unpacks to more than the limit is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    expect((await post(new Uint8Array(bomb), { 'content-encoding': 'gzip' })).status).toBe(413);
  });

  test('that is none is refused', async () => {
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await post('{}', { 'content-encoding': 'compress' })).status).toBe(400);
  });
});

describe('what is no request', () => {
  test('because of a header bomb ends with 431 in the envelope', async () => {
    const answer = await raw([`GET /v1/models HTTP/1.1\r\nhost: x\r\nx-bomb: ${'a'.repeat(100_000)}\r\n\r\n`]);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"type":"invalid_request_error"');
  });

  test('because it is no HTTP ends with 400', async () => {
    expect(await raw(['\x16\x03\x01 nonsense\r\n\r\n'])).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('at an unknown path is 404 in the envelope', async () => {
    const response = await proxy.get('/v1/nothing');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'endpoint_not_found', param: null } });
    expect((await proxy.get('/v1/chat/completions')).status).toBe(404);
    const broken = await proxy.get('/v1/models/%E0%A4%A');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { code: 'invalid_request', type: 'invalid_request_error' } });
    expect((await proxy.get(`/v1/models/${'x'.repeat(1_025)}`)).status).toBe(400);
    for (const answer of [response, broken]) expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
    expect((await proxy.get('/v1/models', { method: 'HEAD' })).status).toBe(404);
  });
});

test('after all of it the proxy still serves', async () => {
  const response = await post(JSON.stringify(valid));
  expect(response.status).toBe(200);
  expect(proxy.logLines.filter((line) => line.includes('"level":50'))).toEqual([]);
  expect(proxy.spool.state().open).toBe(0);
});

test('garbage after a request on the same connection does not end up in its answer', async () => {
  const good = `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key}\r\n\r\n`;
  const answer = await raw([good, '\x00\x01 garbage\r\n\r\n']);
  expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
});
