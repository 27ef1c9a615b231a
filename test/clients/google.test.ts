import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SimulatedWorld } from './simulated-world.ts';
import { startSimulatedWorld } from './simulated-world.ts';

let world: SimulatedWorld;
let client: GoogleGenAI;
beforeAll(async () => {
  world = await startSimulatedWorld();
  const httpOptions = { baseUrl: world.proxy.url, retryOptions: { attempts: 1 } };
  client = new GoogleGenAI({ apiKey: world.proxy.key, httpOptions });
});
afterAll(() => world[Symbol.asyncDispose]());

const weather = {
  name: 'weather',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

test('gets content of a provider that speaks another dialect, whole and streamed', async () => {
  const asked = { model: 'sim/echo', contents: 'hello there' };
  const { text, candidates, usageMetadata, modelVersion, sdkHttpResponse } = await client.models.generateContent(asked);
  expect([text, candidates?.[0]?.finishReason, modelVersion]).toEqual(['hello there', 'STOP', 'sim/echo']);
  expect(await world.proxy.eventOf(sdkHttpResponse?.headers?.['x-request-id'] ?? null)).toMatchObject({
    endpoint: '/v1beta/models/',
    outcome: 'succeeded',
    usage: { input: usageMetadata?.promptTokenCount, output: usageMetadata?.candidatesTokenCount },
  });
  let streamed = '';
  let reason: string | undefined;
  for await (const chunk of await client.models.generateContentStream(asked)) {
    streamed += chunk.text ?? '';
    reason = chunk.candidates?.[0]?.finishReason ?? reason;
  }
  expect([streamed, reason]).toEqual(['hello there', 'STOP']);
});

test('keeps a conversation of streams in its own way', async () => {
  const chat = client.chats.create({ model: 'sim/echo' });
  for await (const _chunk of await chat.sendMessageStream({ message: 'one' }));
  const { text } = await chat.sendMessage({ message: 'two' });
  expect(text).toBe('two');
  expect(chat.getHistory(true).filter(({ role }) => role === 'user')).toHaveLength(2);
});

test('gets calls of its functions, and gives their results back', async () => {
  const config = {
    tools: [{ functionDeclarations: [weather] }],
    toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
  };
  const { functionCalls, candidates } = await client.models.generateContent({ model: 'sim/tools-parallel', contents: 'hello', config });
  expect(functionCalls).toHaveLength(2);
  const results = (functionCalls ?? []).map(({ id, name, args }) => {
    expect(args).toHaveProperty('city');
    return { functionResponse: { id: id ?? '', name: name ?? '', response: { output: 'sunny' } } };
  });
  const content = candidates?.[0]?.content;
  const contents = [
    { role: 'user', parts: [{ text: 'hello' }] },
    ...(content === undefined ? [] : [content]),
    { role: 'user', parts: results },
  ];
  const { text } = await client.models.generateContent({ model: 'sim/echo', contents, config: { tools: config.tools } });
  expect(text).toBeTruthy();
});

test('is refused as it knows it, before a stream and in one', async () => {
  const asked = { model: 'sim/none', contents: 'hello' };
  await expect(client.models.generateContent(asked)).rejects.toBeInstanceOf(ApiError);
  await expect(client.models.generateContent(asked)).rejects.toMatchObject({ status: 404 });
  const failing = await client.models.generateContentStream({ model: 'sim/error-mid', contents: 'hello' });
  await expect(
    (async () => {
      for await (const _chunk of failing);
    })(),
  ).rejects.toThrow();
});
