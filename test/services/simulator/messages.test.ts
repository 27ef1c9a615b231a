import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { startSimulator } from '../../harness/simulator.ts';

// The unmodified official client judges whether the simulator speaks the protocol.
const messages = [{ role: 'user' as const, content: 'hello there, how are you?' }];
const tools = [
  { name: 'get_weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] } },
];

async function startWithClient() {
  const running = await startSimulator();
  const origin = new URL(running.baseUrl).origin;
  const client = new Anthropic({ baseURL: origin, apiKey: 'sk-test', maxRetries: 0 });
  return { client, origin, books: running.simulator.books, [Symbol.asyncDispose]: running[Symbol.asyncDispose] };
}

test('a message echoes the last words of the user, whole and streamed the same', async () => {
  await using provider = await startWithClient();
  const whole = await provider.client.messages.create({ model: 'echo', max_tokens: 100, messages });
  const streamed = await provider.client.messages.stream({ model: 'echo', max_tokens: 100, messages }).finalMessage();
  for (const message of [whole, streamed]) {
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: messages[0]?.content }],
      stop_reason: 'end_turn',
      usage: { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
  }
  expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
  const short = await provider.client.messages.create({ model: 'echo', max_tokens: 1, messages });
  expect(short.stop_reason).toBe('max_tokens');
});

test('tools are called, thinking is shown, and a refusal says why', async () => {
  await using provider = await startWithClient();
  const call = { model: 'echo', max_tokens: 100, messages, tools, tool_choice: { type: 'any' as const } };
  const whole = await provider.client.messages.create(call);
  const streamed = await provider.client.messages.stream(call).finalMessage();
  for (const message of [whole, streamed]) {
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'get_weather', input: { city: expect.any(String) } }],
    });
  }
  const asked = (options: string) => ({ headers: { 'x-simulator': options } });
  const thought = await provider.client.messages
    .stream({ model: 'echo', max_tokens: 100, messages }, asked('reasoning-tokens=5'))
    .finalMessage();
  expect(thought.content[0]).toMatchObject({ type: 'thinking', signature: expect.stringMatching(/^sig_/) });
  expect(thought.usage.output_tokens_details).toEqual({ thinking_tokens: 5 });
  const refused = await provider.client.messages.create({ model: 'echo', max_tokens: 100, messages }, asked('refuse=on'));
  expect(refused).toMatchObject({ content: [], stop_reason: 'refusal', stop_details: { explanation: expect.stringContaining('sorry') } });
});

test('errors are of the protocol', async () => {
  await using provider = await startWithClient();
  const asked = (options: string) =>
    provider.client.messages.create({ model: 'echo', max_tokens: 9, messages }, { headers: { 'x-simulator': options } });
  await expect(asked('error=429')).rejects.toBeInstanceOf(Anthropic.RateLimitError);
  await expect(asked('error=context')).rejects.toMatchObject({
    status: 400,
    error: { type: 'error', error: { type: 'invalid_request_error' } },
  });
  await expect(provider.client.messages.create({ model: 'none', max_tokens: 9, messages })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  const failing = provider.client.messages.stream(
    { model: 'echo', max_tokens: 9, messages },
    { headers: { 'x-simulator': 'error-after=3' } },
  );
  await expect(failing.finalMessage()).rejects.toThrow(/api_error/);
});

test('a proxy in front of it books what its books say, in both dialects', async () => {
  await using provider = await startWithClient();
  await using proxy = await startProxy({
    providers: { sim: provider.origin },
    protocols: { sim: 'anthropic' },
    models: [testModel('sim/echo')],
  });
  for (const [path, stream] of [
    ['/v1/messages', false],
    ['/v1/messages', true],
    ['/v1/chat/completions', true],
  ] as const) {
    const response = await proxy.post(path, { model: 'sim/echo', max_tokens: 50, messages, stream });
    await response.arrayBuffer();
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    const booked = provider.books.entries(0, 100).entries.at(-1);
    expect([event.outcome, event.usage?.input, event.usage?.output]).toEqual([
      'succeeded',
      booked?.billed?.promptTokens,
      booked?.billed?.completionTokens,
    ]);
  }
});
