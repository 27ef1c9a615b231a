import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MessagesRequest } from '../../../schema/http/messages.ts';
import { messagesBound } from '../../../services/proxy/endpoints/messages-bound.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-1',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 5 },
};

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream((response) => answerJson(response, answer));
  const origin = new URL(upstream.baseUrl).origin;
  proxy = await startProxy({
    providers: { claude: origin, sim: upstream.baseUrl },
    protocols: { claude: 'anthropic' },
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: [testModel('claude/one', { upstreamModel: 'claude-1' }), testModel('sim/echo')],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const client = (apiKey: string = proxy.key): Anthropic => new Anthropic({ baseURL: proxy.url, apiKey, maxRetries: 0 });

test('a request passes to the byte but for the model, with the version and features that its application asked for, and no key of it', async () => {
  const body =
    '{ "model":"claude/one", "max_tokens":1.0e2,"future": {"n":12345678901234567890}, "messages":[{"role":"user","content":"h\\u0069"}] }';
  const headers = { 'x-api-key': proxy.key, authorization: '', 'anthropic-version': '2024-01-01', 'anthropic-beta': 'one-2026,two-2026' };
  const response = await proxy.post('/v1/messages?beta=true', null, { body, headers });
  expect(await response.json()).toEqual(answer);
  const sent = upstream.requests.at(-1);
  expect([sent?.path, sent?.body]).toEqual(['/v1/messages', body.replace('claude/one', 'claude-1')]);
  expect(sent?.headers).toMatchObject({
    'x-api-key': 'sk-provider',
    'anthropic-version': '2024-01-01',
    'anthropic-beta': 'one-2026,two-2026',
  });
  expect(sent?.headers.authorization).toBeUndefined();
});

test('the official client is answered, with the id of the request and what it cost', async () => {
  const { data, response, request_id } = await client()
    .messages.create({ model: 'claude/one', max_tokens: 16, messages, metadata: { user_id: 'user-7' } })
    .withResponse();
  expect(data.content).toEqual(answer.content);
  expect(request_id).toBe(response.headers.get('x-request-id'));
  expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.000025');
  expect(await proxy.eventOf(request_id ?? null)).toMatchObject({ endpoint: '/v1/messages', costPico: '25000000' });
  expect(proxy.events.find(({ event }) => event.requestId === request_id)?.subject?.endUser).toBe('user-7');
});

test('an application that names no version gets the one that everything is written for', async () => {
  await (await proxy.post('/v1/messages', { model: 'claude/one', max_tokens: 16, messages })).arrayBuffer();
  expect(upstream.requests.at(-1)?.headers['anthropic-version']).toBe('2023-06-01');
});

describe('what the gateway refuses is an error of the dialect', () => {
  const create = (fields: object, key?: string) =>
    client(key).messages.create({ model: 'claude/one', max_tokens: 16, messages, ...fields });

  test('an unknown key', async () => {
    await expect(create({}, 'tpk_ak_wrong')).rejects.toMatchObject({
      status: 401,
      requestID: expect.stringMatching(/^req_/),
      error: {
        type: 'error',
        error: { type: 'authentication_error', code: 'invalid_api_key' },
        request_id: expect.stringMatching(/^req_/),
      },
    });
    await expect(create({}, 'tpk_ak_wrong')).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test('an unknown model, a body that is none, a provider that does not serve it', async () => {
    await expect(create({ model: 'claude/none' })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(create({ messages: [] })).rejects.toMatchObject({
      status: 400,
      error: { error: { type: 'invalid_request_error', code: 'invalid_request', param: 'messages' } },
    });
    await expect(client().messages.countTokens({ model: 'sim/echo', messages })).rejects.toMatchObject({
      status: 400,
      error: { error: { code: 'endpoint_not_supported' } },
    });
  });

  test('a stream that breaks', async () => {
    upstream.script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { ...answer, content: [] } })}\n\n`);
    };
    await expect(client().messages.stream({ model: 'claude/one', max_tokens: 16, messages }).finalMessage()).rejects.toThrow(
      /upstream_broken_stream/,
    );
  });
});

test('whether to try again, the answer says: the client does where it may', async () => {
  let calls = 0;
  const refuse = (retry: string) => {
    calls = 0;
    upstream.script = (response) => {
      calls += 1;
      response.writeHead(429, { 'content-type': 'application/json', 'x-should-retry': retry, 'retry-after': '0.01' });
      response.end('{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}');
    };
    const retrying = new Anthropic({ baseURL: proxy.url, apiKey: proxy.key, maxRetries: 1 });
    return retrying.messages.create({ model: 'claude/one', max_tokens: 16, messages });
  };
  await expect(refuse('false')).rejects.toBeInstanceOf(Anthropic.RateLimitError);
  expect(calls).toBe(1);
  await expect(refuse('true')).rejects.toBeInstanceOf(Anthropic.RateLimitError);
  expect(calls).toBe(2);
});

describe('a request is bounded from above', () => {
  const model = { contextWindow: 200_000, maxOutputTokens: 64_000 };
  const bound = (fields: Partial<MessagesRequest>) => {
    const request = { model: 'm', messages: [{ content: 'hello' }], max_tokens: 100, ...fields };
    const bytes = Buffer.from(JSON.stringify(request));
    return { ...messagesBound(request, bytes, model, null), bytes: bytes.length };
  };

  test('by its bytes where it is text, calls and their results', () => {
    const content = [{ type: 'text' }, { type: 'tool_use' }, { type: 'tool_result', content: [{ type: 'text' }] }, { type: 'thinking' }];
    const { input, output, bytes } = bound({ messages: [{ content }] });
    expect([input - bytes, output]).toEqual([512, 100]);
  });

  test('by the context where it shows something, or lets tools of the provider read', () => {
    expect(bound({ messages: [{ content: [{ type: 'image' }] }] }).input).toBe(200_000);
    expect(bound({ messages: [{ content: [{ type: 'tool_result', content: [{ type: 'document' }] }] }] }).input).toBe(200_000);
    expect(bound({ tools: [{ type: 'web_search_20260318' }] }).input).toBe(200_000);
    expect(bound({ tools: [{ type: 'custom' }, {}] }).input).toBeLessThan(1_000);
  });

  test('by the larger of two limits', () => {
    const bytes = Buffer.from('{"max_tokens":5000,"messages":[{}],"max_tokens":10}');
    expect(messagesBound({ model: 'm', messages: [{}], max_tokens: 10 }, bytes, model, null).output).toBe(5_000);
  });
});
