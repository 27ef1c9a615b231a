import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const organizationId = testKey().key.organizationId;
const heldToModels = testKey({ organizationId, allowedModels: ['openai/model'] });
const heldToProvider = testKey({ organizationId, allowedModels: ['openai/*'] });
const heldToChat = testKey({ organizationId, allowedEndpoints: ['/v1/chat/completions'] });

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { openai: upstream.baseUrl },
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: [testModel('openai/model')],
    keys: [heldToModels.key, heldToProvider.key, heldToChat.key].map((key) => ({ ...key, organizationId })),
  });
  // All keys are of one organization.
  const [own, ...others] = proxy.snapshot.keys;
  if (own !== undefined) proxy.snapshot = { ...proxy.snapshot, revision: '2', keys: [{ ...own, organizationId }, ...others] };
  await eventually(async () => (await proxy.get('/openai/files')).status !== 403);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const json = (value: unknown, status = 200): ScriptedUpstream['script'] => {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
};
const as = (secret: string): RequestInit => ({ headers: { authorization: `Bearer ${secret}` } });
const idOf = (response: Response): string | null => response.headers.get('x-request-id');
const seen = () => upstream.requests.at(-1);

describe('what goes to a provider by its name', () => {
  test('reaches it as it was sent, under the credential of the gateway, and is answered to the byte', async () => {
    const answer = '{ "object":"list", "data":[ {"id":"file-1","bytes":1.0} ] }';
    upstream.script = json(answer);
    const response = await proxy.get('/openai/v1/files?purpose=batch&key=abc');
    expect(await response.text()).toBe(answer);
    expect(seen()).toMatchObject({ method: 'GET', path: '/v1/files?purpose=batch', body: '' });
    expect(seen()?.headers).toMatchObject({ authorization: 'Bearer sk-provider', 'x-request-id': idOf(response) });
    expect(JSON.stringify(seen()?.headers)).not.toContain(proxy.key);
  });

  test('is an entry that is unrated where it says nothing of its usage, never a free one', async () => {
    upstream.script = json({ object: 'list', data: [] });
    const response = await proxy.get('/openai/batches');
    expect(await proxy.eventOf(idOf(response))).toMatchObject({
      endpoint: '/{provider}/',
      provider: 'openai',
      outcome: 'succeeded',
      usage: null,
      costPico: null,
      unrated: expect.any(String),
      decision: { reason: 'pass_through' },
    });
  });

  test.each([
    ['of chat', { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, prompt_tokens_details: { cached_tokens: 4 } }],
    ['of the newer spelling', { input_tokens: 10, output_tokens: 2, total_tokens: 12, input_tokens_details: { cached_tokens: 4 } }],
  ])('is priced where it names a model of the catalog and tells its usage, in the words %s', async (_words, usage) => {
    upstream.script = json({ model: 'model-2026', usage });
    const response = await proxy.post('/openai/v1/some/new/endpoint', { model: 'model', anything: 1 });
    const event = await proxy.eventOf(idOf(response));
    expect(event).toMatchObject({ model: 'openai/model', modelAnswered: 'model-2026', usage: { input: 6, cacheRead: 4, output: 2 } });
    expect(event.costPico).toMatch(/^[1-9]\d*$/);
    expect(JSON.parse(event.rawUsage ?? '')).toEqual(usage);
  });

  test('passes a stream to the byte, cut anywhere, and reads the usage in it', async () => {
    const text =
      'event: a\r\ndata: {"type":"a","x":1.50}\r\n\r\n: comment\n\ndata: {"type":"end","response":{"model":"m","usage":{"input_tokens":3,"output_tokens":4}}}\n\ndata: [DONE]\n\n';
    upstream.script = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of Buffer.from(text)) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
      response.end();
    };
    const response = await proxy.post('/openai/new/stream', { model: 'model', stream: true });
    expect(await response.text()).toBe(text);
    expect(await proxy.eventOf(idOf(response))).toMatchObject({ stream: true, outcome: 'succeeded', usage: { input: 3, output: 4 } });
  });

  test('never looks complete where the stream of the provider breaks', async () => {
    upstream.script = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      await new Promise((resolve) => response.write('data: {"usage":{"input_tokens":3,"output_tokens":4}}\n\n', resolve));
      response.socket?.destroy();
    };
    const response = await proxy.post('/openai/new/stream', { model: 'model', stream: true });
    expect(await response.text()).toContain('upstream_broken_stream');
    expect(await proxy.eventOf(idOf(response))).toMatchObject({
      outcome: 'failed',
      errorCode: 'upstream_broken_stream',
      usage: { input: 3 },
    });
  });

  test('may be a body of any kind, and a file in the answer', async () => {
    const file = Buffer.from([0, 255, 1, 254, 13, 10]);
    upstream.script = (response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(file);
    };
    const body = new Uint8Array([1, 2, 250]);
    const headers = { authorization: `Bearer ${proxy.key}`, 'content-type': 'audio/wav' };
    const response = await fetch(`${proxy.url}/openai/upload`, { method: 'PUT', headers, body });
    expect(Buffer.from(await response.arrayBuffer()).equals(file)).toBe(true);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(seen()).toMatchObject({ method: 'PUT', headers: { 'content-type': 'audio/wav', 'content-length': '3' } });
  });

  test('is refused in the words of the provider', async () => {
    const refusal = { error: { message: 'No such file', type: 'invalid_request_error', param: 'id', code: null }, hint: 'x' };
    upstream.script = json(refusal, 404);
    const response = await proxy.get('/openai/files/none');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(refusal);
    expect(await proxy.eventOf(idOf(response))).toMatchObject({ outcome: 'failed', status: 404 });
  });

  test('says nothing of the provider where that refuses the gateway itself', async () => {
    upstream.script = json({ error: { message: 'Incorrect API key sk-provider', type: 'x', param: null, code: 'invalid_api_key' } }, 401);
    const response = await proxy.get('/openai/files');
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(text).toContain('upstream_credentials_rejected');
    expect(text).not.toContain('sk-provider');
  });

  test('works with the official client for what the gateway has no endpoint for', async () => {
    upstream.script = json({ id: 'vs_1', object: 'vector_store', name: 'mine' });
    const client = new OpenAI({ apiKey: proxy.key, baseURL: `${proxy.url}/openai/v1`, maxRetries: 0 });
    expect((await client.vectorStores.create({ name: 'mine' })).id).toBe('vs_1');
    expect(seen()).toMatchObject({ method: 'POST', path: '/v1/vector_stores', body: '{"name":"mine"}' });
  });
});

describe('who may not pass', () => {
  test.each([
    ['nobody, without a key', '/openai/files', {}, 401, 'invalid_api_key'],
    ['a key that is held to some models', '/openai/files', as(heldToModels.secret), 403, 'model_not_allowed'],
    ['a key that is held to other endpoints', '/openai/files', as(heldToChat.secret), 403, 'endpoint_not_allowed'],
    ['an address that might lead out', '/openai/a%2fb', as(heldToProvider.secret), 400, 'invalid_request'],
  ])('%s', async (_who, path, init, status, code) => {
    const before = upstream.requests.length;
    const response = await fetch(proxy.url + path, init);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(upstream.requests.length).toBe(before);
  });

  test('a key that has all of the provider does', async () => {
    upstream.script = json({});
    expect((await fetch(`${proxy.url}/openai/files`, as(heldToProvider.secret))).status).toBe(200);
  });

  test('where nobody has such a provider there is no endpoint', async () => {
    expect((await proxy.get('/nobody/files')).status).toBe(404);
  });

  test('an organization that shares the account of the installation with another, whose files are there too', async () => {
    await using shared = await startProxy({ providers: { openai: upstream.baseUrl }, models: [], keys: [testKey().key] });
    const response = await shared.get('/openai/files');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'endpoint_not_allowed' } });
  });
});
