import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { recordingsOf } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startSimulator } from '../../harness/simulator.ts';

const protocols = ['openai', 'azure-openai', 'mistral', 'openrouter', 'perplexity'] as const satisfies readonly ProviderProtocol[];
const chatOnly = testKey({ allowedEndpoints: ['/v1/chat/completions'] });

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(protocols.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(protocols.map((protocol) => [protocol, protocol])),
    models: protocols.map((protocol) => testModel(`${protocol}/model`)),
    keys: [chatOnly.key],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const answering =
  (body: string | Buffer, status = 200): ScriptedUpstream['script'] =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  };
const recordings = recordingsOf('embeddings');
const embed = (body: object, init?: RequestInit) => proxy.post('/v1/embeddings', { model: 'openai/model', input: 'hello', ...body }, init);

test.each([
  ['openai/embeddings', { input: 4, output: 0 }, '6000000'],
  ['mistral/embeddings', { input: 5, output: 0 }, '7500000'],
  ['azure-openai/embeddings', { input: 3, output: 0 }, '4500000'],
])('the recorded answer %s passes to the byte and is in the books by its own numbers', async (name, usage, costPico) => {
  const recording = recordings.find((candidate) => candidate.name.startsWith(name));
  if (recording === undefined) throw new Error(`no recording ${name}`);
  upstream.script = answering(recording.bytes);
  const response = await embed({ ...recording.request, model: `${name.slice(0, name.indexOf('/'))}/model` });
  expect(Buffer.from(await response.arrayBuffer()).equals(recording.bytes)).toBe(true);
  expect(response.headers.get('x-turnpike-cost-usd')).not.toBeNull();
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    endpoint: '/v1/embeddings',
    outcome: 'succeeded',
    usage: { ...UNKNOWN_USAGE, ...usage },
    usageFlags: [],
    costPico,
    stream: false,
  });
});

test('every recording is in the table above', () => {
  expect(recordings).toHaveLength(3);
});

describe('a request', () => {
  test('reaches the provider as it was written, by its name of the model', async () => {
    upstream.script = answering('{"object":"list","data":[],"model":"m"}');
    const body = '{ "input":[[1,2],[3]], "encoding_format" : "base64","model":"openai/model","x":1.50}';
    await proxy.post('/v1/embeddings', {}, { body });
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/embeddings', body: body.replace('openai/model', 'model') });
  });

  test('is told to Mistral in its own words', async () => {
    upstream.script = answering('{"object":"list","data":[],"model":"m"}');
    await embed({ model: 'mistral/model', dimensions: 64 });
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ model: 'model', input: 'hello', output_dimension: 64 });
  });

  test.each([
    [{ input: 5 }, 'input'],
    [{ model: '' }, 'model'],
    [{ model: undefined }, 'model'],
  ])('that is none is refused by the name of its fault: %j', async (fields, param) => {
    const response = await embed(fields);
    expect([response.status, (await response.json()).error.param]).toEqual([400, param]);
  });

  test('to a provider that serves no embeddings is refused before anything is called, and booked', async () => {
    const before = upstream.requests.length;
    const response = await embed({ model: 'perplexity/model' });
    const { error } = await response.json();
    expect([response.status, response.headers.get('x-should-retry'), error.code]).toEqual([400, 'false', 'endpoint_not_supported']);
    expect(error.message).toContain("'perplexity'");
    expect(upstream.requests).toHaveLength(before);
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'rejected',
      errorCode: 'endpoint_not_supported',
      attempts: [],
    });
  });

  test('with a key that may not use the endpoint is refused', async () => {
    const response = await embed({}, { headers: { authorization: `Bearer ${chatOnly.secret}` } });
    expect([response.status, (await response.json()).error.code]).toEqual([403, 'endpoint_not_allowed']);
  });
});

describe('an answer', () => {
  test('without usage has an unknown cost, which is not 0', async () => {
    upstream.script = answering('{"object":"list","data":[{"embedding":[0.1]}],"model":"m"}');
    const response = await embed({});
    expect(response.headers.get('x-turnpike-cost-usd')).toBeNull();
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ usage: null, unrated: 'usage_missing' });
  });

  test('whose total is more than its input has an output nobody reported', async () => {
    upstream.script = answering('{"data":[],"usage":{"prompt_tokens":4,"total_tokens":9}}');
    const event = await proxy.eventOf((await embed({})).headers.get('x-request-id'));
    expect([event.usage?.output, event.usageFlags]).toEqual([null, ['usage_partial', 'total_mismatch']]);
  });

  test('that is cut off is none', async () => {
    for (const cut of ['{"data":[{"embedding":[0.1,0.2]}', '{"data":[0.1', 'nonsense', '']) {
      upstream.script = answering(cut);
      const response = await embed({});
      expect([cut, response.status, (await response.json()).error.code]).toEqual([cut, 502, 'upstream_error']);
    }
  });

  test('that is an error under status 200 is one', async () => {
    upstream.script = answering('{"error":{"message":"no such model","code":404}}');
    const response = await embed({ model: 'openrouter/model' });
    expect([response.status, (await response.json()).error]).toMatchObject([404, { message: 'no such model', code: '404' }]);
  });

  test('that refuses reaches the application by the client contract', async () => {
    const body = '{"error":{"message":"too long","type":"invalid_request_error","param":"input","code":null}}';
    upstream.script = answering(body, 400);
    const response = await embed({});
    expect([response.status, await response.text()]).toEqual([400, body]);
  });
});

test('the official client gets its vectors as floats and as base64, from texts and from tokens', async () => {
  await using provider = await startSimulator();
  await using gateway = await startProxy({
    providers: { sim: provider.baseUrl },
    models: [testModel('sim/echo', { upstreamModel: 'echo' })],
  });
  const client = new OpenAI({ baseURL: gateway.baseUrl, apiKey: gateway.key, maxRetries: 0 });
  const asked = { model: 'sim/echo', dimensions: 8 };
  // The client asks for base64 unless it is told otherwise, and decodes it.
  const decoded = await client.embeddings.create({ ...asked, input: ['one', 'two'] });
  const floats = await client.embeddings.create({ ...asked, input: ['one', 'two'], encoding_format: 'float' });
  expect(decoded.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
  for (const [index, { embedding }] of floats.data.entries()) {
    for (const [at, number] of embedding.entries()) expect(decoded.data[index]?.embedding[at]).toBeCloseTo(number, 5);
  }
  const { data, response, request_id } = await client.embeddings.create({ ...asked, input: [[1, 2, 3], [4]] }).withResponse();
  expect(data.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
  expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.000006');
  expect((await gateway.eventOf(request_id)).usage).toMatchObject({ input: 4, output: 0 });
});
