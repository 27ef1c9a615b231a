import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embedMany, generateText, isStepCount, jsonSchema, Output, streamText, tool } from 'ai';
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

  test('calls tools, several at once, and goes on with their results', async () => {
    const tools = { weather: tool({ inputSchema: city, execute: ({ city }) => `rain in ${city}` }) };
    const asked = { model: modelOf(`${provider}/tools-parallel`), ...once, tools, stopWhen: isStepCount(2) };
    const { steps } = await generateText(asked);
    const rain = { toolName: 'weather', output: expect.stringMatching(/^rain in /) };
    expect(steps).toMatchObject([{ toolResults: [rain, rain] }, { finishReason: 'stop' }]);
  });

  test('goes on with what was said', async () => {
    const model = modelOf(`${provider}/echo`);
    // Unless it is told so, it refers to what was said by ids, which only a provider that has stored it knows (docs/endpoints.md).
    const providerOptions = { openai: { store: false } };
    const { response } = await generateText({ model, ...once, providerOptions });
    const messages = [{ role: 'user' as const, content: prompt }, ...response.messages, { role: 'user' as const, content: 'and more' }];
    const { text } = await generateText({ model, maxOutputTokens: 100, maxRetries: 0, messages, providerOptions });
    expect(text).toBe('and more');
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
