import { ApiError, GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sumClasses, TOKEN_CLASSES } from '../../../schema/values/token-usage.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { serveRecording } from '../../harness/serve-recording.ts';

const MODEL = 'gemini/gemini-3-flash-preview';
const ASKED = { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] };

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: GoogleGenAI;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { gemini: upstream.baseUrl, openai: upstream.baseUrl },
    protocols: { gemini: 'gemini' },
    models: [testModel(MODEL), testModel('openai/gpt')],
  });
  client = new GoogleGenAI({ apiKey: proxy.key, httpOptions: { baseUrl: proxy.url, retryOptions: { attempts: 1 } } });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const post = (method: string, body: unknown = ASKED): Promise<Response> => proxy.post(`/v1beta/models/${MODEL}:${method}`, body);

const WHOLE = [
  'cache-read_web-search',
  'code-exec',
  'image-in',
  'parallel-tools',
  'stop-length',
  'text',
  'tool-call_reasoning',
  'tool-result-in',
  'video-in',
].map((label) => `gemini/generatecontent.sync.${label}`);
const STREAMS = ['image-in', 'parallel-tools', 'text'].map((label) => `gemini/streamgeneratecontent.stream.${label}`);
const LISTS = ['reasoning_structured', 'tool-result-in'].map((label) => `gemini/streamgeneratecontent.stream.${label}`);

/** That all tokens Google counted are in the books. */
async function expectBooked(requestId: string | null): Promise<void> {
  const { outcome, usage, rawUsage, endpoint, costPico } = await proxy.eventOf(requestId);
  expect([outcome, endpoint]).toEqual(['succeeded', '/v1beta/models/']);
  expect(usage === null ? null : sumClasses(usage, TOKEN_CLASSES)).toBe(JSON.parse(rawUsage ?? '{}').totalTokenCount);
  expect(Number(costPico)).toBeGreaterThan(0);
}

describe('an answer of the same dialect, cut anywhere,', () => {
  test.each(WHOLE)('%s passes to the byte, to the official client, and is in the books', async (name) => {
    const recording = providerRecording(name);
    serveRecording(upstream, recording);
    const response = await post('generateContent');
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    await expectBooked(response.headers.get('x-request-id'));
    const { candidates, usageMetadata } = await client.models.generateContent({ model: MODEL, contents: 'hello' });
    const sent = JSON.parse(recording.bytes.toString('utf8'));
    expect([candidates?.[0]?.finishReason, usageMetadata?.totalTokenCount]).toEqual([
      sent.candidates[0].finishReason,
      sent.usageMetadata.totalTokenCount,
    ]);
  });

  test.each(STREAMS)('%s passes to the byte, to the official client, and is in the books', async (name) => {
    const recording = providerRecording(name);
    serveRecording(upstream, recording);
    const response = await post('streamGenerateContent?alt=sse');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    await expectBooked(response.headers.get('x-request-id'));
    let chunks = 0;
    for await (const _chunk of await client.models.generateContentStream({ model: MODEL, contents: 'hello' })) chunks += 1;
    expect(chunks).toBe(recording.events?.length);
  });

  test.each(LISTS)('%s is one list', async (name) => {
    const recording = providerRecording(name);
    serveRecording(upstream, recording);
    const response = await post('streamGenerateContent');
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    await expectBooked(response.headers.get('x-request-id'));
    expect(upstream.requests.at(-1)?.path).toBe('/v1/models/gemini-3-flash-preview:streamGenerateContent');
  });
});

test('the body passes to the byte, by the model that the provider has', async () => {
  serveRecording(upstream, providerRecording('gemini/generatecontent.sync.text'));
  const body = { ...ASKED, safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }], invented: 1 };
  await (await proxy.post(`/v1beta/models/${encodeURIComponent(MODEL)}:generateContent`, body)).arrayBuffer();
  const asked = upstream.requests.at(-1);
  expect([asked?.path, asked?.body]).toEqual(['/v1/models/gemini-3-flash-preview:generateContent', JSON.stringify(body)]);
});

describe('an error', () => {
  test.each<[recording: string, status: number, reason: string | null]>([
    ['gemini/generatecontent.sync.error-404', 404, null],
    ['gemini/generatecontent.sync.error-429-retry-info', 429, null],
    ['gemini/generatecontent.sync.error-403', 502, 'upstream_credentials_rejected'],
  ])('%s is one for the official client', async (name, status, reason) => {
    const recording = providerRecording(name);
    serveRecording(upstream, recording);
    const text = await (await post('generateContent')).text();
    if (reason === null) expect(text).toBe(recording.bytes.toString('utf8'));
    else expect(JSON.parse(text).error.details[0].reason).toBe(reason);
    const error = await client.models.generateContent({ model: MODEL, contents: 'hello' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status });
  });

  test.each<[what: string, path: string, body: object, status: number, said: object]>([
    ['a body without contents', `${MODEL}:generateContent`, {}, 400, { status: 'INVALID_ARGUMENT' }],
    ['a model that is none', 'gemini/none:generateContent', ASKED, 404, { status: 'NOT_FOUND' }],
    ['a method that is not served', `${MODEL}:predict`, ASKED, 404, { status: 'NOT_FOUND' }],
    ['a count of who does not count', 'openai/gpt:countTokens', ASKED, 400, { status: 'INVALID_ARGUMENT' }],
    ['embeddings of nothing', `${MODEL}:embedContent`, {}, 400, { status: 'INVALID_ARGUMENT' }],
    [
      'what only Google has, of another',
      'openai/gpt:generateContent',
      { ...ASKED, cachedContent: 'a' },
      400,
      { status: 'INVALID_ARGUMENT' },
    ],
  ])('of ours, for %s, is in the words of Google', async (_what, path, body, status, said) => {
    const response = await proxy.post(`/v1beta/models/${path}`, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: status, ...said, details: [{ domain: 'turnpike' }] } });
  });
});

test('a stream that ends before its answer has ended is an error for the official client, and no success in the books', async () => {
  const { events, ...recording } = providerRecording('gemini/streamgeneratecontent.stream.text');
  serveRecording(upstream, { ...recording, events, bytes: Buffer.from(events?.slice(0, 2).join('') ?? '', 'utf8') });
  const response = await post('streamGenerateContent?alt=sse');
  expect(await response.text()).toContain('"error":{"code":');
  const { outcome, usage } = await proxy.eventOf(response.headers.get('x-request-id'));
  expect([outcome === 'succeeded', usage?.input]).toEqual([false, 15]);
});

describe('what is asked of a model besides content', () => {
  test('is how many tokens there are, for nothing, by the model that the provider has', async () => {
    const recording = providerRecording('gemini/counttokens');
    serveRecording(upstream, recording);
    const body = '{"generateContentRequest":{"model":"models/gemini/one","contents":[{"n":1.0}]},"future":1.0}';
    const response = await proxy.post(`/v1beta/models/${MODEL}:countTokens`, null, { body });
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    const asked = upstream.requests.at(-1);
    const model = 'models/gemini-3-flash-preview';
    expect([asked?.path, asked?.body]).toEqual([`/v1/${model}:countTokens`, body.replace('models/gemini/one', model)]);
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event).toMatchObject({ endpoint: '/v1beta/models/:countTokens', outcome: 'succeeded', costPico: '0', usage: null });
    expect((await client.models.countTokens({ model: MODEL, contents: 'hello' })).totalTokens).toBe(11);
  });

  test('is what contents are as numbers, one or many, for the official client and in the books', async () => {
    const recording = providerRecording('gemini/batchembedcontents');
    serveRecording(upstream, recording);
    const { embeddings } = await client.models.embedContent({ model: MODEL, contents: ['one', 'two'] });
    expect(embeddings?.map(({ values }) => values?.length)).toEqual([768]);
    const asked = upstream.requests.at(-1);
    expect(asked?.path).toBe('/v1/models/gemini-3-flash-preview:batchEmbedContents');
    const requests = [{ model: 'models/gemini-3-flash-preview' }, { model: 'models/gemini-3-flash-preview' }];
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ requests });
    const response = await post('batchEmbedContents', { requests: [{ content: { parts: [{ text: 'one' }] } }] });
    expect(await response.text()).toBe(recording.bytes.toString('utf8'));
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event).toMatchObject({ endpoint: '/v1beta/models/:embedContent', usage: { input: 3, inputImage: 258, output: 0 } });
    upstream.script = (answer) => answerJson(answer, { embedding: { values: [0.5] } });
    const one = await post('embedContent', { content: { parts: [{ text: 'one' }] } });
    expect(await one.json()).toEqual({ embedding: { values: [0.5] } });
    // Of most models Google does not tell what was used, which is not free.
    expect(await proxy.eventOf(one.headers.get('x-request-id'))).toMatchObject({ usage: null, unrated: 'usage_missing' });
  });

  test('is refused in the words of Google', async () => {
    serveRecording(upstream, providerRecording('gemini/generatecontent.sync.error-404'));
    await expect(client.models.countTokens({ model: MODEL, contents: 'hello' })).rejects.toMatchObject({ status: 404 });
    await expect(client.models.embedContent({ model: MODEL, contents: 'hello' })).rejects.toMatchObject({ status: 404 });
  });
});
