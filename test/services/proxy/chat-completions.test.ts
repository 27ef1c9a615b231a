import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { answerStream, plainStream, startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];

describe('a chat completion', () => {
  test('reaches the client to the byte, with an id, a price, and one event', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat({ model: 'acme/fast', messages, temperature: 0.25, unknown_field: { deep: [1] } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
    const requestId = response.headers.get('x-request-id');
    expect(requestId).toMatch(/^req_/);
    // 10 × 1.5 + 5 × 2 USD a million.
    expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.000025');
    expect(upstream.requests).toHaveLength(1);
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toEqual({
      model: 'fast',
      messages,
      temperature: 0.25,
      unknown_field: { deep: [1] },
    });
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined();

    const event = await proxy.eventOf(requestId);
    expect(event).toMatchObject({
      outcome: 'succeeded',
      status: 200,
      model: 'acme/fast',
      provider: 'acme',
      modelRequested: 'acme/fast',
      modelAnswered: 'upstream-model-2026',
      finishReason: 'stop',
      costPico: '25000000',
      usage: { input: 10, output: 5, cacheRead: null },
      usageSource: 'provider',
      rawUsage: '{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}',
      attempts: [{ provider: 'acme', upstreamModel: 'fast', status: 200, outcome: 'succeeded' }],
      stream: false,
    });
    expect(proxy.events).toHaveLength(1);
  });

  test('streams through the official client, with usage only for who asked', async () => {
    await using upstream = await startScriptedUpstream((response) => answerStream(response, plainStream()));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    for (const asked of [false, true]) {
      const stream = await client.chat.completions.create({
        model: 'fast',
        messages,
        stream: true,
        ...(asked ? { stream_options: { include_usage: true } } : {}),
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello');
      expect(chunks.filter((chunk) => chunk.choices.length === 0)).toHaveLength(asked ? 1 : 0);
      expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toMatchObject({ model: 'fast', stream_options: { include_usage: true } });
    }
    await proxy.stop();
    expect(proxy.events.map(({ event }) => [event.outcome, event.stream, event.costPico])).toEqual([
      ['succeeded', true, '19000000'],
      ['succeeded', true, '19000000'],
    ]);
  });
});
