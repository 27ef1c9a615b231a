import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { RunningSimulator } from '../../harness/simulator.ts';
import { startSimulator } from '../../harness/simulator.ts';

let provider: RunningSimulator;
let proxy: TestProxy;
let client: OpenAI;
beforeAll(async () => {
  provider = await startSimulator();
  proxy = await startProxy({
    providers: { sim: provider.baseUrl },
    models: [testModel('sim/echo', { upstreamModel: 'echo' })],
  });
  client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

test('a completion is answered whole and streamed, and both books say the same', async () => {
  const asked = { model: 'sim/echo', prompt: 'one two three' };
  const { data: whole, request_id } = await client.completions.create({ ...asked, n: 2 }).withResponse();
  expect(whole).toMatchObject({ object: 'text_completion', model: 'echo', usage: { prompt_tokens: 4, completion_tokens: 6 } });
  expect(whole.choices.map(({ index, text, finish_reason }) => [index, text, finish_reason])).toEqual([
    [0, 'one two three', 'stop'],
    [1, 'one two three', 'stop'],
  ]);
  expect(await proxy.eventOf(request_id)).toMatchObject({ endpoint: '/v1/completions', usage: { input: 4, output: 6 }, unrated: null });

  const streamed = await client.completions.create({ ...asked, max_tokens: 2, stream: true }).withResponse();
  let text = '';
  let reason: string | null = null;
  for await (const { choices } of streamed.data) {
    text += choices[0]?.text ?? '';
    reason = choices[0]?.finish_reason ?? reason;
  }
  expect([text, reason]).toEqual(['one two', 'length']);
  expect(await proxy.eventOf(streamed.request_id)).toMatchObject({ stream: true, usage: { input: 4, output: 2 } });
  const { billed } = provider.simulator.books.summary();
  expect([billed.promptTokens, billed.completionTokens]).toEqual([8, 8]);
});

test('a moderation flags what is named, and costs a true nothing', async () => {
  const input = ['flowers', 'all that violence'];
  const { data, request_id } = await client.moderations.create({ model: 'sim/echo', input }).withResponse();
  expect(data.results.map(({ flagged, categories }) => [flagged, categories.violence])).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(await proxy.eventOf(request_id)).toMatchObject({ endpoint: '/v1/moderations', costPico: '0', usage: null });
});

test('pictures come with the tokens that each of them took', async () => {
  const { data, request_id } = await client.images.generate({ model: 'sim/echo', prompt: 'a turnpike', n: 2 }).withResponse();
  const pictures = (data.data ?? []).map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64').toString('latin1', 1, 4));
  expect(pictures).toEqual(['PNG', 'PNG']);
  expect(await proxy.eventOf(request_id)).toMatchObject({ endpoint: '/v1/images/generations', usage: { input: 3, outputImage: 544 } });
});

test.each([
  ['completions', { prompt: 'hello' }, 'prompt'],
  ['moderations', { input: 'hello' }, 'input'],
  ['images/generations', { prompt: 'hello' }, 'prompt'],
])('%s refuse what they cannot read, and fail as the model says', async (path, fields, prompt) => {
  const ask = async (body: object): Promise<unknown> => {
    const response = await fetch(`${provider.baseUrl}/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return [response.status, (await response.json()).error?.param];
  };
  expect(await ask({ model: 'echo' })).toEqual([400, prompt]);
  expect(await ask({ ...fields, model: 'error-context' })).toEqual([400, prompt]);
  expect(await ask({ ...fields, model: 'none' })).toEqual([404, null]);
});
