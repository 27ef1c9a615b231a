import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookedTokens } from './booked-tokens.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { startSimulatedWorld } from './simulated-world.ts';

let world: SimulatedWorld;
let client: OpenAI;
beforeAll(async () => {
  world = await startSimulatedWorld();
  client = new OpenAI({ baseURL: world.proxy.baseUrl, apiKey: world.proxy.key, maxRetries: 0, fetch: world.fetch });
});
afterAll(() => world[Symbol.asyncDispose]());

const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const weather = { type: 'function' as const, name: 'weather', parameters: city, strict: true };

/** That the entry of the last request counts what its answer told. */
async function expectBooked(endpoint: string, usage: { readonly input_tokens: number; readonly output_tokens: number } | undefined) {
  const event = await world.lastEvent();
  expect([event.endpoint, event.outcome, event.costPico === null]).toEqual([endpoint, 'succeeded', false]);
  expect(bookedTokens(event)).toEqual({ input: usage?.input_tokens, output: usage?.output_tokens });
}

test('lists what its key may use', async () => {
  const names: string[] = [];
  for await (const { id } of client.models.list()) names.push(id);
  expect(names).toContain('sim/echo');
});

test('chats, whole and streamed', async () => {
  const asked = { model: 'sim/echo', messages: [{ role: 'user' as const, content: 'hello there' }] };
  const whole = await client.chat.completions.create(asked);
  expect(whole.choices[0]?.message.content).toBe('hello there');
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
  expect(streamed.choices[0]?.message.content).toBe('hello there');
  await expectBooked('/v1/chat/completions', {
    input_tokens: whole.usage?.prompt_tokens ?? 0,
    output_tokens: whole.usage?.completion_tokens ?? 0,
  });
});

test('gets responses, whole and streamed', async () => {
  const asked = { model: 'sim/echo', input: 'hello there' };
  const whole = await client.responses.create(asked);
  expect(whole.output_text).toBe('hello there');
  await expectBooked('/v1/responses', whole.usage);
  const streamed = await client.responses.stream(asked).finalResponse();
  expect(streamed.output_text).toBe('hello there');
  await expectBooked('/v1/responses', streamed.usage);
});

test('gets calls of its functions, several at once, and reasoning', async () => {
  const called = await client.responses.stream({ model: 'sim/tools-parallel', input: 'weather?', tools: [weather] }).finalResponse();
  const calls = called.output.filter((item) => item.type === 'function_call');
  expect(calls.map(({ name }) => name)).toEqual(['weather', 'weather']);
  for (const call of calls) expect(JSON.parse(call.arguments)).toHaveProperty('city');
  await expectBooked('/v1/responses', called.usage);
  const thought = await client.responses.create({ model: 'sim/reasoning', input: 'why?', reasoning: { summary: 'auto' } });
  expect(thought.usage?.output_tokens_details.reasoning_tokens).toBe(64);
  await expectBooked('/v1/responses', thought.usage);
});

test('is told that an answer was cut off, and of an error within one', async () => {
  const cut = await client.responses.create({ model: 'sim/truncated', input: 'hello there' });
  expect([cut.status, cut.incomplete_details?.reason]).toEqual(['incomplete', 'max_output_tokens']);
  const broken = client.responses.stream({ model: 'sim/error-mid', input: 'hello there' }).finalResponse();
  await expect(broken).rejects.toThrow(OpenAI.APIError);
  expect(await world.lastEvent()).toMatchObject({ outcome: 'failed', endpoint: '/v1/responses' });
});

test('is refused as it knows it', async () => {
  await expect(client.responses.create({ model: 'sim/none', input: 'x' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  const stranger = new OpenAI({ baseURL: world.proxy.baseUrl, apiKey: 'tpk_ak_test_none', maxRetries: 0 });
  await expect(stranger.responses.create({ model: 'sim/echo', input: 'x' })).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(client.responses.create({ model: 'sim/echo', input: 'x', background: true })).rejects.toMatchObject({
    status: 400,
    param: 'background',
  });
});
