import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimulatedWorld } from './simulated-world.ts';
import { startSimulatedWorld } from './simulated-world.ts';

let world: SimulatedWorld;
let client: Anthropic;
beforeAll(async () => {
  world = await startSimulatedWorld();
  client = new Anthropic({ baseURL: world.proxy.url, apiKey: world.proxy.key, maxRetries: 0, fetch: world.fetch });
});
afterAll(() => world[Symbol.asyncDispose]());

const messages = [{ role: 'user' as const, content: 'hello there' }];

test('gets messages of a provider that speaks another dialect, whole and streamed', async () => {
  const asked = { model: 'sim/echo', max_tokens: 100, messages };
  const whole = await client.messages.create(asked);
  expect([whole.content, whole.stop_reason]).toMatchObject([[{ type: 'text', text: 'hello there' }], 'end_turn']);
  expect(await world.lastEvent()).toMatchObject({
    endpoint: '/v1/messages',
    outcome: 'succeeded',
    usage: { input: whole.usage.input_tokens },
  });
  const streamed = await client.messages.stream(asked).finalMessage();
  expect(streamed.content).toMatchObject([{ type: 'text', text: 'hello there' }]);
});

test('gets calls of its tools', async () => {
  const schema = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] };
  const tools = [{ name: 'weather', input_schema: schema }];
  const message = await client.messages.stream({ model: 'sim/tools-parallel', max_tokens: 100, messages, tools }).finalMessage();
  expect(message.stop_reason).toBe('tool_use');
  const calls = message.content.filter((block) => block.type === 'tool_use');
  expect(calls).toHaveLength(2);
  for (const { input } of calls) expect(input).toHaveProperty('city');
});

test('is refused as it knows it', async () => {
  const asked = { model: 'sim/none', max_tokens: 100, messages };
  await expect(client.messages.create(asked)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
});
