import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookedTokens } from './booked-tokens.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { startSimulatedWorld } from './simulated-world.ts';

let world: SimulatedWorld;
beforeAll(async () => {
  world = await startSimulatedWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const openai = () => ({ apiKey: world.proxy.key, maxRetries: 0, configuration: { baseURL: world.proxy.baseUrl, fetch: world.fetch } });
const city = {
  title: 'weather',
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
};
const weather = tool(() => 'rain', { name: 'weather', description: 'the weather', schema: city });

describe.each<{ readonly endpoint: string; readonly modelOf: (model: string) => BaseChatModel }>([
  { endpoint: '/v1/chat/completions', modelOf: (model: string) => new ChatOpenAI({ ...openai(), model }) },
  { endpoint: '/v1/responses', modelOf: (model: string) => new ChatOpenAI({ ...openai(), model, useResponsesApi: true }) },
  {
    endpoint: '/v1/messages',
    modelOf: (model: string) =>
      new ChatAnthropic({
        model,
        maxTokens: 100,
        apiKey: world.proxy.key,
        anthropicApiUrl: world.proxy.url,
        maxRetries: 0,
        clientOptions: { fetch: world.fetch },
      }),
  },
])('by $endpoint', ({ endpoint, modelOf }) => {
  test('invokes a model, and its usage is the one that is booked', async () => {
    const answer = await modelOf('sim/echo').invoke('hello there');
    const event = await world.lastEvent();
    expect(event).toMatchObject({ endpoint, outcome: 'succeeded' });
    const { input, output } = bookedTokens(event) ?? expect.fail('no usage');
    expect(answer).toMatchObject({ text: 'hello there', usage_metadata: { input_tokens: input, output_tokens: output } });
  });

  test('streams', async () => {
    const pieces: string[] = [];
    for await (const chunk of await modelOf('sim/echo').stream('hello there')) pieces.push(chunk.text);
    expect(pieces.join('')).toBe('hello there');
    expect(pieces.length).toBeGreaterThan(1);
  });

  test('calls tools, several at once, and gives their results back', async () => {
    const withTools = (model: string) => modelOf(model).bindTools?.([weather]) ?? expect.fail('takes no tools');
    const question = new HumanMessage('weather?');
    const asked = await withTools('sim/tools-parallel').invoke([question]);
    expect(asked.tool_calls).toMatchObject([{ name: 'weather' }, { name: 'weather' }]);
    const results = (asked.tool_calls ?? []).map(({ id = '' }) => new ToolMessage({ tool_call_id: id, content: 'rain' }));
    const answer = await withTools('sim/echo').invoke([question, asked, ...results]);
    expect(answer.text).not.toBe('');
  });

  test('gets objects of a schema', async () => {
    expect(await modelOf('sim/echo').withStructuredOutput(city).invoke('hello there')).toEqual({ city: expect.any(String) });
  });

  test('is refused as it knows it', async () => {
    await expect(modelOf('sim/none').invoke('hello there')).rejects.toMatchObject({ status: 404, lc_error_code: 'MODEL_NOT_FOUND' });
  });
});

test('embeds several documents', async () => {
  const vectors = await new OpenAIEmbeddings({ ...openai(), model: 'sim/echo' }).embedDocuments(['one', 'two']);
  expect(vectors.map((vector) => vector.length)).toEqual([1536, 1536]);
  expect(await world.lastEvent()).toMatchObject({ endpoint: '/v1/embeddings', outcome: 'succeeded' });
});
