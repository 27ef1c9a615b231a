import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: 'bedrock-api-key' },
    models: ['amazon.titan-embed-text-v2:0', 'cohere.embed-v4:0', 'amazon.nova-2-lite-v1:0'].map((name) => testModel(`bedrock/${name}`)),
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function answering(body: object, headers: Readonly<Record<string, string>> = {}): void {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}
const embed = (model: string, fields: object) => proxy.post('/v1/embeddings', { model: `bedrock/${model}`, input: 'hello', ...fields });
const lastBody = () => JSON.parse(upstream.requests.at(-1)?.body ?? '');

test('Titan embeds one text, tells its tokens, and is not asked for two', async () => {
  answering({ embedding: [0.5, -0.25], embeddingsByType: { float: [0.5, -0.25] }, inputTextTokenCount: 4 });
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
  const asked = { model: 'bedrock/amazon.titan-embed-text-v2:0', input: 'hello', dimensions: 256 };
  // In base64, which the client asks for and decodes.
  const { data, request_id } = await client.embeddings.create(asked).withResponse();
  expect([data.data[0]?.embedding, data.usage]).toEqual([[0.5, -0.25], { prompt_tokens: 4, total_tokens: 4 }]);
  expect(upstream.requests.at(-1)?.path).toBe('/model/amazon.titan-embed-text-v2%3A0/invoke');
  expect(lastBody()).toEqual({ inputText: 'hello', dimensions: 256 });
  expect(await proxy.eventOf(request_id)).toMatchObject({ usage: { ...UNKNOWN_USAGE, input: 4, output: 0 }, costPico: '6000000' });

  const one = await embed('amazon.titan-embed-text-v2:0', { input: ['hello'], normalize: false, input_type: 'search_query' });
  expect(lastBody()).toEqual({ inputText: 'hello', normalize: false });
  expect(one.headers.get('x-turnpike-warning')).toBe('not_carried; fields=input_type');
  const two = await embed('amazon.titan-embed-text-v2:0', { input: ['a', 'b'] });
  expect([two.status, (await two.json()).error.param]).toEqual([400, 'input']);
});

test('Cohere embeds several texts, and what they cost is told beside the answer', async () => {
  const vectors = { embeddings: { float: [[1], [2]] }, texts: ['a', 'b'], response_type: 'embeddings_by_type' };
  answering(vectors, { 'x-amzn-bedrock-input-token-count': '9' });
  const response = await embed('cohere.embed-v4:0', { input: ['a', 'b'], input_type: 'search_query' });
  expect(upstream.requests.at(-1)?.path).toBe('/model/cohere.embed-v4%3A0/invoke');
  expect(lastBody()).toEqual({ texts: ['a', 'b'], input_type: 'search_query', embedding_types: ['float'] });
  expect(await response.json()).toMatchObject({ data: [{ embedding: [1] }, { embedding: [2] }], usage: { prompt_tokens: 9 } });
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    usage: { ...UNKNOWN_USAGE, input: 9, output: 0 },
    rawUsage: '{"inputTokens":9}',
    costPico: '13500000',
  });

  answering(vectors);
  const untold = await embed('cohere.embed-v4:0', { input: ['a', 'b'] });
  expect((await untold.json()).usage).toBeNull();
  expect(await proxy.eventOf(untold.headers.get('x-request-id'))).toMatchObject({ usage: null, unrated: 'usage_missing' });
});

test('a model of another kind is not asked for vectors', async () => {
  const response = await embed('amazon.nova-2-lite-v1:0', {});
  expect([response.status, (await response.json()).error.code]).toEqual([400, 'endpoint_not_supported']);
});
