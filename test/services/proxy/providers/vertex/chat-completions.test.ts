import { generateKeyPairSync } from 'node:crypto';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sumClasses, TOKEN_CLASSES } from '../../../../../schema/values/token-usage.ts';
import { eventually } from '../../../../harness/eventually.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { answerJson, completion, startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';
import type { TokenServer } from '../../../../harness/token-server.ts';
import { startTokenServer } from '../../../../harness/token-server.ts';

let tokens: TokenServer;
let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  tokens = await startTokenServer();
  upstream = await startScriptedUpstream();
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const key = {
    type: 'service_account',
    private_key: privateKey,
    client_email: 'g@p.iam.gserviceaccount.com',
    token_uri: `${tokens.url}/token`,
  };
  proxy = await startProxy({
    providers: { vertex: `${upstream.baseUrl}/projects/p/locations/global` },
    protocols: { vertex: 'vertex' },
    providerCredential: { env: 'GOOGLE_KEY' },
    credentials: { GOOGLE_KEY: JSON.stringify(key) },
    models: [
      testModel('vertex/gemini-3-flash-preview'),
      testModel('vertex/claude-3-7-sonnet@20250219'),
      testModel('vertex/gemini-embedding-001'),
    ],
  });
  await eventually(() => tokens.requests.length > 0);
  serveRecording(upstream, providerRecording('vertex/generatecontent.sync.text'));
  await eventually(async () => (await proxy.chat(asked)).ok);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await tokens[Symbol.asyncDispose]();
});

const asked = { model: 'vertex/gemini-3-flash-preview', messages: [{ role: 'user' as const, content: 'hello' }] };

test('a token is got before the first request, and goes with every one', async () => {
  serveRecording(upstream, providerRecording('vertex/generatecontent.sync.text'));
  for (const _again of [1, 2]) await proxy.chat({ ...asked, service_tier: 'flex' });
  const { path, headers, body = '' } = upstream.requests.at(-1) ?? {};
  expect(path).toBe('/v1/projects/p/locations/global/publishers/google/models/gemini-3-flash-preview:generateContent');
  expect([headers?.authorization, headers?.['x-vertex-ai-llm-shared-request-type']]).toEqual(['Bearer token-1', 'flex']);
  expect(JSON.parse(body)).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] });
  expect(tokens.requests).toHaveLength(1);
});

test.each([
  'vertex/generatecontent.sync.cache-read',
  'vertex/generatecontent.sync.parallel-tools',
  'vertex/generatecontent.sync.service-tier',
  'vertex/generatecontent.sync.text',
  'vertex/generatecontent.sync.tool-result-in',
  'vertex/streamgeneratecontent.stream.parallel-tools',
  'vertex/streamgeneratecontent.stream.service-tier',
  'vertex/streamgeneratecontent.stream.structured',
])('%s, cut anywhere, is an answer for the official client, and all of its tokens are in the books', async (name) => {
  const recording = providerRecording(name);
  serveRecording(upstream, recording);
  let requestId: string | null = null;
  const client = new OpenAI({
    baseURL: proxy.baseUrl,
    apiKey: proxy.key,
    maxRetries: 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      requestId = response.headers.get('x-request-id');
      return response;
    },
  });
  const answer =
    recording.events === null
      ? await client.chat.completions.create(asked)
      : await client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion();
  expect(answer.choices[0]?.finish_reason).toBe(name.includes('parallel-tools') ? 'tool_calls' : 'stop');
  const { usage, rawUsage, outcome } = await proxy.eventOf(requestId);
  const total: unknown = JSON.parse(rawUsage ?? '{}').totalTokenCount;
  expect([outcome, usage === null ? null : sumClasses(usage, TOKEN_CLASSES), answer.usage?.total_tokens]).toEqual([
    'succeeded',
    total,
    total,
  ]);
});

test.each<[recording: string, reason: string, tokens: number]>([
  ['vertex/anthropic.rawpredict.sync.tool-call', 'tool_calls', 462],
  ['vertex/anthropic.rawpredict.sync.tool-result-in', 'stop', 553],
  ['vertex/anthropic.streamrawpredict.stream.tool-call', 'tool_calls', 520],
])('%s, cut anywhere, is an answer of Claude for the official client', async (name, reason, total) => {
  const recording = providerRecording(name);
  serveRecording(upstream, recording);
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
  const claude = { ...asked, model: 'vertex/claude-3-7-sonnet@20250219' };
  const isStream = recording.events !== null;
  const answer = isStream
    ? await client.chat.completions.stream({ ...claude, stream_options: { include_usage: true } }).finalChatCompletion()
    : await client.chat.completions.create(claude);
  expect([answer.choices[0]?.finish_reason, answer.usage?.total_tokens]).toEqual([reason, total]);
  const { path, body = '', headers } = upstream.requests.at(-1) ?? {};
  const method = isStream ? 'streamRawPredict' : 'rawPredict';
  expect(path).toBe(`/v1/projects/p/locations/global/publishers/anthropic/models/claude-3-7-sonnet@20250219:${method}`);
  expect(JSON.parse(body)).toMatchObject({ anthropic_version: 'vertex-2023-10-16', messages: [{ role: 'user' }] });
  expect([JSON.parse(body).model, headers?.authorization]).toEqual([undefined, 'Bearer token-1']);
});

test.each([
  ['vertex/anthropic.rawpredict.sync.tool-call', 462],
  ['vertex/anthropic.rawpredict.sync.tool-result-in', 553],
  ['vertex/anthropic.streamrawpredict.stream.tool-call', 520],
])('%s, cut anywhere, passes to the byte to who speaks the dialect of Claude', async (name, total) => {
  const recording = providerRecording(name);
  serveRecording(upstream, recording);
  const isStream = recording.events !== null;
  const rest = `"stream":${isStream},"max_tokens":16.0,"messages":[{"role":"user","content":"h\\u0069"}]`;
  const headers = { 'anthropic-beta': 'context-1m-2025-08-07,prompt-caching-scope-2026-01-05' };
  const response = await proxy.post('/v1/messages', null, { body: `{"model":"vertex/claude-3-7-sonnet@20250219",${rest}}`, headers });
  expect(await response.text()).toBe(recording.bytes.toString('utf8'));
  expect(response.headers.get('x-turnpike-warning')).toBe('not_carried; fields=anthropic-beta.prompt-caching-scope-2026-01-05');
  const sent = upstream.requests.at(-1);
  expect(sent?.path).toContain(`/publishers/anthropic/models/claude-3-7-sonnet@20250219:${isStream ? 'streamRawPredict' : 'rawPredict'}`);
  expect([sent?.body, sent?.headers['anthropic-beta']]).toEqual([
    `{"anthropic_version":"vertex-2023-10-16",${rest}}`,
    'context-1m-2025-08-07',
  ]);
  const { outcome, usage } = await proxy.eventOf(response.headers.get('request-id'));
  expect([outcome, usage === null ? null : sumClasses(usage, TOKEN_CLASSES)]).toEqual(['succeeded', total]);
});

test('tokens of Claude are counted for nothing, and those of Gemini not by its dialect', async () => {
  upstream.script = (response) => answerJson(response, { input_tokens: 14 });
  const response = await proxy.post('/v1/messages/count_tokens', { ...asked, model: 'vertex/claude-3-7-sonnet@20250219' });
  expect(await response.json()).toEqual({ input_tokens: 14 });
  const { path, body = '' } = upstream.requests.at(-1) ?? {};
  expect(path).toContain('/publishers/anthropic/models/count-tokens:rawPredict');
  expect(JSON.parse(body)).toEqual({
    anthropic_version: 'vertex-2023-10-16',
    model: 'claude-3-7-sonnet@20250219',
    messages: asked.messages,
  });
  expect(await proxy.eventOf(response.headers.get('request-id'))).toMatchObject({ outcome: 'succeeded', costPico: '0' });
  expect((await proxy.post('/v1/messages/count_tokens', asked)).status).toBe(400);
});

test.each([
  ['of Google, in our words', { error: { code: 400, message: 'No such model', status: 'INVALID_ARGUMENT' } }, 'INVALID_ARGUMENT'],
  ['of Anthropic, as it came', { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }, undefined],
])('a refusal %s is one of the dialect of Claude', async (_whose, refusal, code) => {
  upstream.script = (response) => answerJson(response, refusal, 400);
  const response = await proxy.post('/v1/messages', { ...asked, model: 'vertex/claude-3-7-sonnet@20250219', max_tokens: 1 });
  const answer = await response.json();
  expect(answer).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  expect(answer.error.code).toBe(code);
});

test("an application of Google's dialect reaches Claude as it reaches Gemini", async () => {
  serveRecording(upstream, providerRecording('vertex/anthropic.rawpredict.sync.tool-call'));
  const path = '/v1beta/models/vertex/claude-3-7-sonnet@20250219:generateContent';
  const answer = await (await proxy.post(path, { contents: [{ parts: [{ text: 'hello' }] }] })).json();
  expect(answer).toMatchObject({
    candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }],
    usageMetadata: { totalTokenCount: 462 },
  });
  expect(upstream.requests.at(-1)?.path).toMatch(/claude-3-7-sonnet@20250219:rawPredict$/);
});

test("tokens of Gemini are counted by Google's dialect, and those of Claude are not", async () => {
  upstream.script = (response) => answerJson(response, { totalTokens: 2, totalBillableCharacters: 5 });
  const count = (model: string) => proxy.post(`/v1beta/models/vertex/${model}:countTokens`, { contents: [{ parts: [{ text: 'hello' }] }] });
  const response = await count('gemini-3-flash-preview');
  expect(await response.json()).toEqual({ totalTokens: 2, totalBillableCharacters: 5 });
  expect(upstream.requests.at(-1)?.path).toMatch(/\/publishers\/google\/models\/gemini-3-flash-preview:countTokens$/);
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'succeeded', costPico: '0' });
  expect((await count('claude-3-7-sonnet@20250219')).status).toBe(400);
});

test('where no token can be got a request is refused, and the operator is told why', async () => {
  await using refusing = await startTokenServer();
  refusing.refusal = 'invalid_client';
  const secret = { tenantId: 't', clientId: 'c', clientSecret: 'hush', authority: refusing.url };
  await using azure = await startProxy({
    providers: { azure: upstream.baseUrl },
    protocols: { azure: 'azure-openai' },
    providerCredential: { env: 'AZURE' },
    credentials: { AZURE: JSON.stringify(secret) },
    models: [testModel('azure/gpt')],
  });
  const response = await eventually(async () => {
    const answer = await azure.chat({ ...asked, model: 'azure/gpt' });
    return answer.status === 502 ? answer : null;
  });
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_credentials_rejected' } });
  const told = azure.logLines.filter((line) => line.includes('an access token for a provider could not be got'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('HTTP 401 invalid_client');
  expect(azure.logLines.join('')).not.toContain('hush');
});

test('Azure is told the token of Entra ID as a bearer, which is renewed before it expires', async () => {
  await using entra = await startTokenServer();
  entra.lifeSeconds = 2;
  const secret = { tenantId: 't', clientId: 'c', clientSecret: 's', authority: entra.url };
  upstream.script = (response) => answerJson(response, completion());
  await using azure = await startProxy({
    providers: { azure: upstream.baseUrl },
    protocols: { azure: 'azure-openai' },
    providerCredential: { env: 'AZURE' },
    credentials: { AZURE: JSON.stringify(secret) },
    models: [testModel('azure/gpt')],
  });
  const seen = new Set<string | undefined>();
  await eventually(async () => {
    if (!(await azure.chat({ ...asked, model: 'azure/gpt' })).ok) return false;
    const { authorization, 'api-key': apiKey } = upstream.requests.at(-1)?.headers ?? {};
    expect(apiKey).toBeUndefined();
    seen.add(authorization);
    return seen.size > 1;
  });
  expect([...seen].every((header) => /^Bearer token-\d+$/.test(header ?? ''))).toBe(true);
});

test('texts are embedded by a prediction, and vectors are not asked of Claude', async () => {
  upstream.script = (response) =>
    answerJson(response, { predictions: [{ embeddings: { values: [0.5], statistics: { token_count: 4, truncated: false } } }] });
  const response = await proxy.post('/v1/embeddings', { model: 'vertex/gemini-embedding-001', input: 'hello' });
  expect(upstream.requests.at(-1)?.path).toBe('/v1/projects/p/locations/global/publishers/google/models/gemini-embedding-001:predict');
  expect(await response.json()).toMatchObject({ data: [{ embedding: [0.5] }], usage: { prompt_tokens: 4 } });
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ usage: { input: 4, output: 0 }, costPico: '6000000' });
  const refused = await proxy.post('/v1/embeddings', { model: 'vertex/claude-3-7-sonnet@20250219', input: 'hello' });
  expect((await refused.json()).error.code).toBe('endpoint_not_supported');
});
