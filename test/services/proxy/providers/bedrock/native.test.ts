import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import { frameOf, payloadsOf } from '../../../../harness/aws-frames.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';
import { isSignedWith } from '../../../../harness/verify-aws-signature.ts';

const secretAccessKey = 'a secret of the gateway';
const upstreamModel = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const asked = { model: 'bedrock/claude', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hello' }] };
const message = { type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } };

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: Anthropic;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  const own = { prices: [], ownPrices: [] };
  proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: JSON.stringify({ accessKeyId: 'AKID', secretAccessKey, region: 'us-east-1' }) },
    models: [
      testModel('bedrock/claude', { upstreamModel }),
      testModel('bedrock/opus', { upstreamModel: 'global.anthropic.claude-opus-4-7', ...own }),
      testModel('bedrock/nova', { upstreamModel: 'us.amazon.nova-2-lite-v1:0', ...own }),
      testModel('bedrock/profile', { upstreamModel: 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc', ...own }),
    ],
  });
  client = new Anthropic({ baseURL: proxy.url, apiKey: proxy.key, maxRetries: 0 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const sent = () => {
  const last = upstream.requests.at(-1);
  if (last === undefined) throw new Error('nothing was asked');
  return last;
};

/** By hand, from each recording's own numbers and the prices of `testModel`. */
const ANSWERS: readonly (readonly [name: string, usage: Partial<TokenUsage>, cost: string])[] = [
  ['invoke.sync.cache-write', { input: 3, cacheRead: 9511, cacheWrite5m: 1956, cacheWrite1h: 0, output: 44 }, '4453150000'],
  ['invoke.sync.parallel-tools', { input: 392, output: 135 }, '858000000'],
  ['invoke.sync.tool-result', { input: 646, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 54 }, '1077000000'],
];

test.each(ANSWERS)('%s, cut anywhere, passes to the byte, signed for and booked with its cache counted once', async (name, usage, cost) => {
  const recording = providerRecording(`bedrock/${name}`);
  serveRecording(upstream, recording);
  const response = await proxy.post('/v1/messages', asked);
  expect([await response.text(), response.headers.get('x-turnpike-warning')]).toEqual([recording.bytes.toString('utf8'), null]);
  expect([isSignedWith(secretAccessKey, sent()), sent().path]).toEqual([true, `/model/${encodeURIComponent(upstreamModel)}/invoke`]);
  const event = await proxy.eventOf(response.headers.get('request-id'));
  expect([event.outcome, event.costPico]).toEqual(['succeeded', cost]);
  expect(event.usage).toEqual({ ...UNKNOWN_USAGE, ...usage });
  expect(event.rawUsage).toBe(JSON.stringify(JSON.parse(recording.bytes.toString('utf8')).usage));

  serveRecording(upstream, recording);
  expect(await client.messages.create(asked)).toMatchObject(JSON.parse(recording.bytes.toString('utf8')));
});

describe('a stream', () => {
  const recording = providerRecording('bedrock/invoke-with-response-stream');
  const data = payloadsOf(recording.bytes).map((payload) =>
    Buffer.from(JSON.parse(payload.toString('utf8')).bytes, 'base64').toString('utf8'),
  );

  test('is the events of its frames, each to the byte, wherever it was cut', async () => {
    serveRecording(upstream, recording);
    const response = await proxy.post('/v1/messages', { ...asked, stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toBe(data.map((text) => `event: ${JSON.parse(text).type}\ndata: ${text}\n\n`).join(''));
    expect([isSignedWith(secretAccessKey, sent()), sent().headers.accept, sent().path]).toEqual([
      true,
      'application/vnd.amazon.eventstream',
      `/model/${encodeURIComponent(upstreamModel)}/invoke-with-response-stream`,
    ]);
    const event = await proxy.eventOf(response.headers.get('request-id'));
    expect(event).toMatchObject({ stream: true, outcome: 'succeeded', usage: { ...UNKNOWN_USAGE, input: 702, output: 130 } });
    expect(event.costPico).toBe(String(702 * 1_500_000 + 130 * 2_000_000));
  });

  test('is one for the official client', async () => {
    serveRecording(upstream, recording);
    const final = await client.messages.stream(asked).finalMessage();
    expect(final.content.map(({ type }) => type)).toEqual(['text', 'tool_use', 'tool_use']);
    expect([final.stop_reason, final.usage.input_tokens]).toEqual(['tool_use', 702]);
  });

  const chunk = (event: unknown): Buffer =>
    frameOf(
      { ':message-type': 'event', ':event-type': 'chunk' },
      JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString('base64') }),
    );
  const started = chunk({ type: 'message_start', message: { ...message, stop_reason: null } });
  const answerFrames = (...frames: readonly Buffer[]): void => {
    upstream.script = (response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.end(Buffer.concat(frames));
    };
  };

  test('that ends in an exception is an error of the dialect behind what came before', async () => {
    const exception = frameOf(
      { ':message-type': 'exception', ':exception-type': 'throttlingException' },
      '{"message":"Too many requests"}',
    );
    answerFrames(started, exception);
    const response = await proxy.post('/v1/messages', { ...asked, stream: true });
    const text = await response.text();
    expect(text).toMatch(/^event: message_start\ndata: .*\n\nevent: error\ndata: .*Too many requests.*\n\n$/);
    expect(await proxy.eventOf(response.headers.get('request-id'))).toMatchObject({ outcome: 'failed', errorCode: 'ThrottlingException' });
  });

  test('that is refused before anything was said is an HTTP error', async () => {
    answerFrames(frameOf({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"Too many requests"}'));
    await expect(client.messages.stream(asked).finalMessage()).rejects.toBeInstanceOf(Anthropic.RateLimitError);
  });

  test('that breaks off, or is altered, never looks complete', async () => {
    answerFrames(started);
    expect(await (await proxy.post('/v1/messages', { ...asked, stream: true })).text()).toContain('upstream_broken_stream');
    const altered = Buffer.from(started);
    altered.writeUInt8(altered.readUInt8(altered.length - 6) ^ 1, altered.length - 6);
    answerFrames(started, altered);
    expect(await (await proxy.post('/v1/messages', { ...asked, stream: true })).text()).toContain('upstream_broken_stream');
  });
});

test('every value of the application is sent to the byte, what the address says is not, and what its host does not know is told', async () => {
  upstream.script = (response) => answerJson(response, message);
  const rest = '"max_tokens":1.0e2,"future": {"n":12345678901234567890}, "messages":[{"role":"user","content":"h\\u0069"}]';
  const body = `{ "model":"bedrock/claude", "stream": false,${rest.replace(', "messages"', ',"messages"')},"service_tier":"auto","model":"bedrock/claude" }`;
  const headers = { 'anthropic-beta': 'context-1m-2025-08-07, claude-code-20250219,effort-2025-11-24,advanced-tool-use-2025-11-20' };
  const response = await proxy.post('/v1/messages', null, { body, headers });
  expect(await response.json()).toEqual(message);
  const betas = '["context-1m-2025-08-07","effort-2025-11-24","tool-search-tool-2025-10-19"]';
  const front = `"anthropic_version":"bedrock-2023-05-31","anthropic_beta":${betas}`;
  expect(sent().body).toBe(`{${front},${rest.replace(', "messages"', ',"messages"')}}`);
  expect(response.headers.get('x-turnpike-warning')).toBe('not_carried; fields=anthropic-beta.claude-code-20250219');

  await (await proxy.post('/v1/messages', { ...asked, model: 'bedrock/opus', service_tier: 'flex' }, { headers })).arrayBuffer();
  expect(JSON.parse(sent().body).anthropic_beta).not.toContain('effort-2025-11-24');
});

test('models of other makers, and profiles that do not tell whose they are, are spoken to by Converse', async () => {
  serveRecording(upstream, providerRecording('bedrock/converse.sync.text'));
  for (const model of ['bedrock/nova', 'bedrock/profile']) {
    expect((await client.messages.create({ ...asked, model })).stop_reason).toBe('end_turn');
    expect(sent().path).toMatch(/\/converse$/);
  }
});

describe('tokens are counted', () => {
  const { max_tokens, ...counted } = asked;

  test('of the model behind a profile, for nothing', async () => {
    serveRecording(upstream, providerRecording('bedrock/count-tokens'));
    const thinking = { type: 'enabled' as const, budget_tokens: 2_000 };
    const { data, request_id } = await client.messages.countTokens({ ...counted, thinking }).withResponse();
    expect(data).toEqual({ input_tokens: 19 });
    expect(sent().path).toBe('/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens');
    const { input } = JSON.parse(sent().body);
    expect(JSON.parse(Buffer.from(input.invokeModel.body, 'base64').toString('utf8'))).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 2_001,
      messages: asked.messages,
      thinking,
    });
    expect(await proxy.eventOf(request_id ?? null)).toMatchObject({ outcome: 'succeeded', costPico: '0' });
  });

  test('of no other model', async () => {
    await expect(client.messages.countTokens({ ...counted, model: 'bedrock/nova' })).rejects.toMatchObject({
      status: 400,
      error: { error: { code: 'endpoint_not_supported' } },
    });
  });
});

test('what Bedrock refuses is an error of the dialect, and nothing is said of the credential of the gateway', async () => {
  serveRecording(upstream, providerRecording('bedrock/converse.sync.error-400.'));
  await expect(client.messages.create(asked)).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  serveRecording(upstream, providerRecording('bedrock/invoke.sync.error-403'));
  await expect(client.messages.create(asked)).rejects.toMatchObject({
    status: 502,
    error: { error: { code: 'upstream_credentials_rejected' } },
  });
});
