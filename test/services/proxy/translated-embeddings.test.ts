import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { serveRecording } from '../../harness/serve-recording.ts';

const protocols = ['cohere', 'gemini', 'ollama', 'mistral'] as const satisfies readonly ProviderProtocol[];

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
/** Of the last answer. */
let last: Headers;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(protocols.map((protocol) => [protocol, new URL(upstream.baseUrl).origin])),
    protocols: Object.fromEntries(protocols.map((protocol) => [protocol, protocol])),
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: ['cohere/embed-v4.0', 'gemini/gemini-embedding-2', 'ollama/model', 'mistral/model'].map((name) => testModel(name)),
  });
  const noting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    last = response.headers;
    return response;
  };
  client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0, fetch: noting });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});
beforeEach(() => answering(COHERE));

const COHERE = { embeddings: { float: [[0.5, -0.25]] }, meta: { billed_units: { input_tokens: 2 } } };
function answering(body: object): void {
  upstream.script = (response) => answerJson(response, body);
}
const embed = (fields: object) => proxy.post('/v1/embeddings', { model: 'cohere/embed-v4.0', input: 'hello', ...fields });
const lastBody = () => JSON.parse(upstream.requests.at(-1)?.body ?? '');
const eventOf = (headers: Headers) => proxy.eventOf(headers.get('x-request-id'));

describe('a recorded answer, cut anywhere', () => {
  test.each([
    {
      name: 'cohere/v2.embed.sync.text',
      model: 'cohere/embed-v4.0',
      vectors: (body: { embeddings: { float: number[][] } }) => body.embeddings.float,
      tokens: 7,
      // An embedding has no output; pictures are billed beside texts.
      usage: { input: 7, inputImage: 0, output: 0 },
      costPico: '10500000',
      raw: 'billed_units',
    },
    {
      name: 'gemini/batchembedcontents',
      model: 'gemini/gemini-embedding-2',
      vectors: (body: { embeddings: { values: number[] }[] }) => body.embeddings.map(({ values }) => values),
      tokens: 261,
      // Its details are spelled in a way of their own.
      usage: { input: 3, inputImage: 258, output: 0 },
      costPico: '391500000',
      raw: 'promptTokenDetails',
    },
  ])('$name gives the official client its vectors, as floats and packed, and is in the books', async (expected) => {
    const recording = providerRecording(expected.name);
    const vectors = expected.vectors(JSON.parse(recording.bytes.toString('utf8')));
    const asked = { model: expected.model, input: ['hello'] };

    serveRecording(upstream, recording);
    const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
    expect(floats).toEqual({
      object: 'list',
      data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
      model: expected.model,
      usage: { prompt_tokens: expected.tokens, total_tokens: expected.tokens },
    });
    const event = await eventOf(last);
    expect(event).toMatchObject({
      endpoint: '/v1/embeddings',
      outcome: 'succeeded',
      usage: { ...UNKNOWN_USAGE, ...expected.usage },
      usageFlags: [],
      costPico: expected.costPico,
    });
    expect(event.rawUsage).toContain(expected.raw);

    serveRecording(upstream, recording);
    // Asks for base64 unless it is told otherwise, and decodes it.
    const packed = await client.embeddings.create(asked);
    expect(packed.data.map(({ embedding }) => embedding)).toEqual(vectors.map((vector) => Array.from(Float32Array.from(vector))));
  });

  test('of a refusal reaches the application by the client contract', async () => {
    serveRecording(upstream, providerRecording('cohere/v2.embed.sync.error-404'));
    const refused = await client.embeddings.create({ model: 'cohere/embed-v4.0', input: 'hello' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.NotFoundError);
    expect(String(refused)).toContain("model 'nonexistent' not found");
    expect(await eventOf(last)).toMatchObject({ outcome: 'failed', status: 404, costPico: '0' });
  });
});

describe('Cohere', () => {
  test('is asked in its own words, for documents that are to be found', async () => {
    const response = await embed({ input: ['a', 'b'], dimensions: 256, encoding_format: 'float' });
    expect([response.status, response.headers.get('x-turnpike-warning')]).toEqual([200, null]);
    expect(upstream.requests.at(-1)?.path).toBe('/v2/embed');
    expect(lastBody()).toEqual({
      model: 'embed-v4.0',
      texts: ['a', 'b'],
      input_type: 'search_document',
      embedding_types: ['float'],
      output_dimension: 256,
    });
  });

  test('is told what else an application says in its words; the rest is told to the application', async () => {
    const response = await embed({ input_type: 'search_query', truncate: 'NONE', user: 'u', task_type: 'X', embedding_types: ['int8'] });
    expect(response.headers.get('x-turnpike-warning')).toBe('not_carried; fields=user,task_type,embedding_types');
    expect(lastBody()).toMatchObject({ input_type: 'search_query', truncate: 'NONE', embedding_types: ['float'] });
  });

  test.each([
    [{ input: [1, 2] }, 'input'],
    [{ input: [[1, 2]] }, 'input'],
    [{ input: ['a', { image: 'i' }] }, 'input'],
    [{ input: [] }, 'input'],
    [{ encoding_format: 'int8' }, 'encoding_format'],
  ])('is not asked for what it cannot be asked: %j', async (fields, param) => {
    const before = upstream.requests.length;
    const response = await embed(fields);
    expect([response.status, (await response.json()).error.param]).toEqual([400, param]);
    expect(upstream.requests).toHaveLength(before);
  });

  test('that bills nothing has an unknown cost, and the application is not told of 0 tokens', async () => {
    answering({ embeddings: { float: [[1]] } });
    const response = await embed({});
    expect((await response.json()).usage).toBeNull();
    expect(await eventOf(response.headers)).toMatchObject({ usage: null, usageFlags: ['usage_missing'], unrated: 'usage_missing' });
  });

  test.each([{}, { embeddings: {} }, { embeddings: { float: [['x']] } }])('whose answer is none is an error: %j', async (body) => {
    answering(body);
    expect((await embed({})).status).toBe(502);
  });
});

describe('Google', () => {
  test('is asked for all texts at once, and told what they are for in either vocabulary', async () => {
    answering({ embeddings: [{ values: [1] }, { values: [2] }] });
    const model = 'gemini/gemini-embedding-2';
    const response = await embed({ model, input: ['a', 'b'], dimensions: 768, input_type: 'search_query', title: 'T' });
    const request = (text: string) => ({
      model: 'models/gemini-embedding-2',
      content: { parts: [{ text }] },
      taskType: 'RETRIEVAL_QUERY',
      title: 'T',
      outputDimensionality: 768,
    });
    expect(upstream.requests.at(-1)?.path).toBe('/models/gemini-embedding-2:batchEmbedContents');
    expect(lastBody()).toEqual({ requests: [request('a'), request('b')] });
    expect((await response.json()).data.map(({ embedding }: { embedding: number[] }) => embedding)).toEqual([[1], [2]]);
    // Of most of its models it does not tell what was used.
    expect(await eventOf(response.headers)).toMatchObject({ usage: null, costPico: null, unrated: 'usage_missing' });

    const both = await embed({ model, task_type: 'SEMANTIC_SIMILARITY', input_type: 'image' });
    expect(lastBody().requests[0].taskType).toBe('SEMANTIC_SIMILARITY');
    expect(both.headers.get('x-turnpike-warning')).toBe('not_carried; fields=input_type');
  });
});

describe('a server of OpenAI’s dialect that does not know base64', () => {
  test('is made to give it: the official client, which asks for it, gets the vectors', async () => {
    answering({ object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5, -2] }], model: 'm', usage: { prompt_tokens: 1 } });
    for (const model of ['ollama/model', 'mistral/model']) {
      expect((await client.embeddings.create({ model, input: 'hello' })).data[0]?.embedding).toEqual([0.5, -2]);
    }
    expect((await client.embeddings.create({ model: 'ollama/model', input: 'x', encoding_format: 'float' })).data[0]?.embedding).toEqual([
      0.5, -2,
    ]);
  });

  test('is, where it is Mistral, not told what it refuses', async () => {
    const response = await embed({ model: 'mistral/model', encoding_format: 'base64', user: 'u' });
    expect(lastBody()).toEqual({ model: 'model', input: 'hello' });
    expect(response.headers.get('x-turnpike-warning')).toBe('not_carried; fields=user');
  });
});
