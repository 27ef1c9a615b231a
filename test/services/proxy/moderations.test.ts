import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

test('a moderation passes to the byte, is free, and is booked', async () => {
  const recording = providerRecording('openai/moderations');
  await using upstream = await startScriptedUpstream();
  await using proxy = await startProxy({
    providers: { openai: upstream.baseUrl },
    // Also where no price of it is known.
    models: [testModel('openai/omni-moderation-latest', { prices: [] }), testModel('openai/priced')],
  });
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(recording.bytes);
  };
  const response = await proxy.post('/v1/moderations', recording.request);
  expect(Buffer.from(await response.arrayBuffer()).equals(recording.bytes)).toBe(true);
  const free = { endpoint: '/v1/moderations', outcome: 'succeeded', usage: null, usageFlags: [], costPico: '0', unrated: null };
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject(free);

  // A request need not name a model, and the provider is told which one was meant.
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
  const { results } = await client.moderations.create({ input: 'hello' });
  expect(results[0]?.flagged).toBe(false);
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ model: 'omni-moderation-latest', input: 'hello' });
  await client.moderations.create({ input: 'hello', model: 'openai/priced' });
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ model: 'priced', input: 'hello' });

  // Who says what was used is believed.
  upstream.script = (answer) => void answer.end('{"model":"m","results":[],"usage":{"prompt_tokens":4,"total_tokens":4}}');
  const metered = await proxy.post('/v1/moderations', { model: 'openai/priced', input: 'hello' });
  expect(await proxy.eventOf(metered.headers.get('x-request-id'))).toMatchObject({ usage: { input: 4 }, costPico: '6000000' });
});
