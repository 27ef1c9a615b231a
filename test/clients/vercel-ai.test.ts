import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embedMany, generateText, jsonSchema, Output, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookedTokens } from './booked-tokens.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { startSimulatedWorld } from './simulated-world.ts';

let world: SimulatedWorld;
beforeAll(async () => {
  world = await startSimulatedWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const access = () => ({ baseURL: world.proxy.baseUrl, apiKey: world.proxy.key, fetch: world.fetch });
const prompt = 'hello there';
const once = { prompt, maxOutputTokens: 100, maxRetries: 0 };
const city = jsonSchema<{ city: string }>({
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
});

// Its provider for OpenAI asks for responses unless told otherwise. The one for Anthropic refuses a stream that does not tell its input with the first event,
// so it streams where the provider knows that so early, as Anthropic does (docs/endpoints.md).
describe.each([
  { endpoint: '/v1/responses', provider: 'sim', modelOf: (name: string) => createOpenAI(access())(name) },
  { endpoint: '/v1/chat/completions', provider: 'sim', modelOf: (name: string) => createOpenAI(access()).chat(name) },
  { endpoint: '/v1/messages', provider: 'claude', modelOf: (name: string) => createAnthropic(access())(name) },
])('by $endpoint', ({ endpoint, provider, modelOf }) => {
  test('generates text, and its usage is the one that is booked', async () => {
    const { text, finishReason, usage } = await generateText({ model: modelOf(`${provider}/echo`), ...once });
    expect([text, finishReason]).toEqual([prompt, 'stop']);
    const event = await world.lastEvent();
    expect(event).toMatchObject({ endpoint, outcome: 'succeeded' });
    expect(bookedTokens(event)).toEqual({ input: usage.inputTokens, output: usage.outputTokens });
  });

  test('streams text', async () => {
    const result = streamText({ model: modelOf(`${provider}/echo`), ...once });
    const pieces: string[] = [];
    for await (const piece of result.textStream) pieces.push(piece);
    expect(pieces.join('')).toBe(prompt);
    expect(await result.finishReason).toBe('stop');
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
  });

  test('calls tools, several at once', async () => {
    const tools = { weather: tool({ inputSchema: city, execute: ({ city }) => `rain in ${city}` }) };
    const { toolResults } = await generateText({ model: modelOf(`${provider}/tools-parallel`), ...once, tools });
    const rain = { toolName: 'weather', output: expect.stringMatching(/^rain in /) };
    expect(toolResults).toMatchObject([rain, rain]);
  });

  test('gets objects of a schema', async () => {
    const { output } = await generateText({ model: modelOf(`${provider}/echo`), ...once, output: Output.object({ schema: city }) });
    expect(output).toEqual({ city: expect.any(String) });
  });

  test('is refused as it knows it', async () => {
    const refusal = generateText({ model: modelOf(`${provider}/none`), ...once }).catch((error: unknown) => error);
    expect(APICallError.isInstance(await refusal)).toBe(true);
    expect(await refusal).toMatchObject({ statusCode: 404, isRetryable: false });
  });
});

test('embeds several texts', async () => {
  const model = createOpenAI(access()).embedding('sim/echo');
  const { embeddings, usage } = await embedMany({ model, values: ['one', 'two'], maxRetries: 0 });
  expect(embeddings.map((vector) => vector.length)).toEqual([1536, 1536]);
  expect(await world.lastEvent()).toMatchObject({ endpoint: '/v1/embeddings', usage: { input: usage.tokens } });
});
