import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { readCatalogue } from '../../../services/pricing/price-book.ts';
import type { PriceSheet } from '../../../services/pricing/price-sheet.ts';
import { priceVersion } from '../../../services/pricing/price-sheet.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { serveRecording } from '../../harness/serve-recording.ts';

const protocols = ['openai', 'cohere', 'fireworks', 'huggingface', 'openrouter', 'together'] as const satisfies readonly ProviderProtocol[];
const priced = (sheet: PriceSheet) => ({ prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }] });
/** What the catalogue says of Cohere's: 2 USD a thousand searches. */
const cohereSheet = readCatalogue()
  ?.models.find(({ provider, model }) => provider === 'cohere' && model === 'rerank-v3.5')
  ?.prices.at(-1)?.sheet;

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(
      protocols.map((protocol) => [protocol, protocol === 'cohere' ? new URL(upstream.baseUrl).origin : upstream.baseUrl]),
    ),
    protocols: Object.fromEntries(protocols.map((protocol) => [protocol, protocol])),
    models: [
      ...protocols.map((protocol) => testModel(`${protocol}/model`)),
      testModel('cohere/rerank-v3.5', priced(cohereSheet ?? { standard: {} })),
      testModel('openrouter/by-search', priced({ standard: { search: '1000000000' } })),
    ],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const rerank = (fields: object, path = '/v1/rerank') =>
  proxy.post(path, { model: 'cohere/rerank-v3.5', query: 'ruby', documents: ['Rails', 'Paris'], ...fields });
const eventOf = (response: Response) => proxy.eventOf(response.headers.get('x-request-id'));
const lastBody = () => JSON.parse(upstream.requests.at(-1)?.body ?? '');
const answering = (body: object): void => {
  upstream.script = (response) => answerJson(response, body);
};
const scores = [
  { index: 1, relevance_score: 0.9 },
  { index: 0, relevance_score: 0.1 },
];

describe('at Cohere', () => {
  test.each(['/v1/rerank', '/v2/rerank'])('what was recorded passes to the byte by %s, and costs its search units', async (path) => {
    const recording = providerRecording('cohere/v2.rerank');
    serveRecording(upstream, recording);
    const body = JSON.stringify({ ...recording.request, model: 'cohere/rerank-v3.5' });
    const response = await proxy.post(path, {}, { body });
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/v2/rerank', body: JSON.stringify(recording.request) });
    expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.002');
    expect(await eventOf(response)).toMatchObject({
      endpoint: '/v1/rerank',
      outcome: 'succeeded',
      usage: null,
      units: { searches: 1, images: null, audioSeconds: null },
      usageFlags: [],
      rawUsage: '{"api_version":{"version":"2"},"billed_units":{"search_units":1}}',
      costPico: '2000000000',
      unrated: null,
    });
  });

  test('documents with names are ranked by the fields that are named, else by their text, else by all of them', async () => {
    answering({ id: 'r', results: scores, meta: { billed_units: { search_units: 2 } } });
    const documents = [{ title: 'T', text: 'X', year: 2024 }, { author: 'A', year: 1.5 }, 'plain'];
    const response = await rerank({ documents, max_tokens_per_doc: 512 });
    expect(await eventOf(response)).toMatchObject({ units: { searches: 2 }, costPico: '4000000000' });
    expect(lastBody()).toEqual({
      model: 'rerank-v3.5',
      query: 'ruby',
      documents: ['X', 'author: A\nyear: 1.5', 'plain'],
      max_tokens_per_doc: 512,
    });
    await rerank({ documents, rank_fields: ['title', 'year'] });
    expect(lastBody().documents).toEqual(['title: T\nyear: 2024', '1.5', 'plain']);
  });

  test('documents that shall come back do, as they were given', async () => {
    answering({ id: 'r', results: scores, meta: {} });
    const response = await rerank({ documents: [{ title: 'T' }, 'plain'], return_documents: true, max_chunks_per_doc: 3, top_n: 2 });
    expect(lastBody()).toEqual({ model: 'rerank-v3.5', query: 'ruby', documents: ['T', 'plain'], top_n: 2 });
    expect(response.headers.get('x-turnpike-warning')).toBe('not_carried; fields=max_chunks_per_doc');
    expect((await response.json()).results).toEqual([
      { ...scores[0], document: { text: 'plain' } },
      { ...scores[1], document: { title: 'T' } },
    ]);
  });

  test('an answer that bills nothing has an unknown cost, which is not 0', async () => {
    answering({ id: 'r', results: scores });
    expect(await eventOf(await rerank({}))).toMatchObject({
      units: null,
      costPico: null,
      unrated: 'usage_missing',
      usageFlags: ['usage_missing'],
    });
  });

  test('a refusal reaches the application in the envelope of all', async () => {
    upstream.script = (response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"id":"e","message":"too many documents"}');
    };
    const response = await rerank({});
    expect([response.status, (await response.json()).error.message]).toEqual([400, 'too many documents']);
    expect(await eventOf(response)).toMatchObject({ outcome: 'failed', costPico: '0' });
  });
});

describe('at whoever else ranks', () => {
  test('bytes pass in both directions, documents with names too', async () => {
    const answer = '{"id":"r","object":"rerank","model":"m","results":[{"index":0,"relevance_score":0.50}],"usage":{"prompt_tokens":40}}';
    upstream.script = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(answer);
    };
    const body = '{ "query":"q", "documents":[{"text":"a"},"b"],"model":"together/model","rank_fields":["text"],"return_documents":true }';
    const response = await proxy.post('/v1/rerank', {}, { body });
    expect(await response.text()).toBe(answer);
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/rerank', body: body.replace('together/model', 'model') });
  });

  test.each([
    ['Together', 'together', { prompt_tokens: 40, completion_tokens: 0, total_tokens: 40 }],
    ['vLLM', 'openai', { prompt_tokens: 40, total_tokens: 40 }],
    ['Jina', 'openai', { total_tokens: 40 }],
  ])('%s bills tokens of the input', async (_name, provider, usage) => {
    answering({ results: scores, usage });
    expect(await eventOf(await rerank({ model: `${provider}/model` }))).toMatchObject({
      usage: { ...UNKNOWN_USAGE, input: 40, output: 0 },
      units: null,
      usageFlags: [],
      rawUsage: JSON.stringify(usage),
      costPico: '60000000',
    });
  });

  test('OpenRouter bills searches, says what it charges, and its tokens are not billed beside them', async () => {
    answering({ model: 'm', results: scores, usage: { total_tokens: 150, search_units: 3, cost: 0.003 } });
    expect(await eventOf(await rerank({ model: 'openrouter/by-search' }))).toMatchObject({
      usage: null,
      units: { searches: 3 },
      costPico: '3000000000',
      reportedCostPico: '3000000000',
    });
  });

  test('the results of Fireworks are found where those of all others are', async () => {
    const data = [{ index: 1, relevance_score: 0.9, document: 'Paris' }, scores[1]];
    answering({ object: 'list', model: 'm', data, usage: { prompt_tokens: 7, completion_tokens: 0, total_tokens: 7 } });
    const response = await rerank({ model: 'fireworks/model', return_documents: true });
    expect(await response.json()).toMatchObject({ model: 'm', results: [{ index: 1, document: { text: 'Paris' } }, scores[1]] });
    expect((await eventOf(response)).usage).toMatchObject({ input: 7, output: 0 });
  });

  test('an error under status 200 is one', async () => {
    answering({ error: { message: 'no such model', code: 404 } });
    const response = await rerank({ model: 'openrouter/model' });
    expect([response.status, (await response.json()).error]).toMatchObject([404, { message: 'no such model', code: '404' }]);
  });

  test('a provider that ranks in another way is not asked', async () => {
    const before = upstream.requests.length;
    const response = await rerank({ model: 'huggingface/model' });
    expect([response.status, (await response.json()).error.code]).toEqual([400, 'endpoint_not_supported']);
    expect(upstream.requests).toHaveLength(before);
  });
});

test.each([
  [{ query: undefined }, 'query'],
  [{ documents: 'one' }, 'documents'],
  [{ documents: [5] }, 'documents[0]'],
])('a request that is none is refused by the name of its fault: %j', async (fields, param) => {
  const response = await rerank(fields);
  expect([response.status, (await response.json()).error.param]).toEqual([400, param]);
});
