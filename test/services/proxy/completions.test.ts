import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const routed = testKey();

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  const openai = testModel('openai/old');
  proxy = await startProxy({
    providers: { openai: upstream.baseUrl, groq: upstream.baseUrl },
    protocols: { groq: 'groq' },
    models: [openai, testModel('groq/old')],
    keys: [routed.key],
    routes: [
      {
        id: 'rte_1',
        organizationId: routed.key.organizationId,
        name: 'capped',
        strategy: 'single',
        createdAt: 0,
        outputCap: { tokens: 32, injected: true },
        targets: [{ modelId: openai.id, weight: 1, credentialId: null }],
      },
    ],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
const chunk = (fields: object): string =>
  `data: ${JSON.stringify({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'old-1', ...fields })}\n\n`;
const choice = (text: string, reason: string | null = null, index = 0) => ({ text, index, logprobs: null, finish_reason: reason });

function streaming(...events: readonly string[]): void {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events.join(''));
  };
}

test('an answer passes to the byte and is booked by its usage', async () => {
  const body = JSON.stringify({ id: 'cmpl-1', object: 'text_completion', model: 'old-1', choices: [choice('Hi', 'stop')], usage });
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  };
  const asked = '{"prompt":[1,2,3],"model":"openai/old","logit_bias":{"5":1.50}}';
  const response = await proxy.post('/v1/completions', {}, { body: asked });
  expect(await response.text()).toBe(body);
  expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/completions', body: asked.replace('openai/old', 'old') });
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    endpoint: '/v1/completions',
    modelAnswered: 'old-1',
    finishReason: 'stop',
    usage: { input: 5, output: 7 },
    costPico: '21500000',
  });
});

test('a stream passes to the official client, its usage asked for and taken out, its ends made good', async () => {
  const choices = [choice('a'), choice('b', null, 1)];
  streaming(chunk({ choices }), chunk({ choices: [choice('', 'length')] }), chunk({ choices: [], usage }), 'data: [DONE]\n\n');
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
  const { data: stream, request_id } = await client.completions
    .create({ model: 'openai/old', prompt: ['x', 'y'], stream: true })
    .withResponse();
  const chunks = [];
  for await (const part of stream) chunks.push(part);
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
  expect(chunks.map((part) => part.choices.map(({ text, index, finish_reason }) => [index, text, finish_reason]))).toEqual([
    [
      [0, 'a', null],
      [1, 'b', null],
    ],
    [[0, '', 'length']],
    [[1, '', 'stop']],
  ]);
  expect(chunks.at(-1)?.object).toBe('text_completion');
  expect(await proxy.eventOf(request_id)).toMatchObject({ stream: true, outcome: 'succeeded', usage: { input: 5, output: 7 } });
});

test('a route writes its limit by the one name that it has here, and leaves one of the request alone', async () => {
  const init = { headers: { authorization: `Bearer ${routed.secret}` } };
  upstream.script = (response) => void response.end('{}');
  const limitOf = async (fields: object) => {
    await (await proxy.post('/v1/completions', { model: 'route/capped', prompt: 'x', ...fields }, init)).arrayBuffer();
    return JSON.parse(upstream.requests.at(-1)?.body ?? '').max_tokens;
  };
  expect([await limitOf({}), await limitOf({ max_tokens: 5 }), await limitOf({ max_tokens: null })]).toEqual([32, 5, 32]);
});

test('a provider that serves none is refused', async () => {
  const response = await proxy.post('/v1/completions', { model: 'groq/old', prompt: 'x' });
  expect([response.status, (await response.json()).error.code]).toEqual([400, 'endpoint_not_supported']);
});
