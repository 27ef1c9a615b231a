import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { UsageTap } from '../../../../services/proxy/pass-through/usage-tap.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';
import { providerRecording } from '../../../harness/provider-recordings.ts';

test('what comes in parts is the last that was said of each count, in the reading of its provider', () => {
  const tap = new UsageTap(PROVIDERS.gemini);
  for (const usageMetadata of [{ promptTokenCount: 9 }, { promptTokenCount: 8, candidatesTokenCount: 1, thoughtsTokenCount: 4 }])
    tap.look(Buffer.from(JSON.stringify({ modelVersion: 'gemini-x', usageMetadata })));
  expect(tap.facts()).toMatchObject({
    modelAnswered: 'gemini-x',
    usage: { ...UNKNOWN_USAGE, input: 8, output: 1, reasoning: 4 },
    rawUsage: '{"promptTokenCount":8,"candidatesTokenCount":1,"thoughtsTokenCount":4}',
  });
});

test('units that Cohere bills outside of a conversation are read', () => {
  const tap = new UsageTap(PROVIDERS.cohere);
  tap.look(Buffer.from('{"meta":{"billed_units":{"input_tokens":5,"output_tokens":0}}}'));
  expect(tap.facts().usage).toEqual({ ...UNKNOWN_USAGE, input: 5, output: 0 });
});

test('of what Cohere was asked by its own paths, searches and pictures are counted too', () => {
  const facts = (name: string) => {
    const tap = new UsageTap(PROVIDERS.cohere);
    tap.look(providerRecording(name).bytes);
    return tap.facts();
  };
  expect(facts('cohere/v2.rerank')).toMatchObject({ usage: null, units: { searches: 1 }, usageFlags: [] });
  expect(facts('cohere/v2.embed.sync.text')).toMatchObject({
    usage: { ...UNKNOWN_USAGE, input: 7, inputImage: 0, output: 0 },
    usageFlags: [],
  });
  const pictures = new UsageTap(PROVIDERS.cohere);
  pictures.look(Buffer.from('{"meta":{"billed_units":{"image_tokens":258}}}'));
  expect(pictures.facts().usage).toEqual({ ...UNKNOWN_USAGE, inputImage: 258, output: 0 });
});

test('what Anthropic says at the beginning of a stream is kept where its end does not repeat it', () => {
  const tap = new UsageTap(PROVIDERS.anthropic);
  const began = { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 1, server_tool_use: { web_search_requests: 2 } };
  tap.look(Buffer.from(JSON.stringify({ type: 'message_start', message: { model: 'claude-x', usage: began } })));
  tap.look(Buffer.from('{"type":"message_delta","delta":{},"usage":{"output_tokens":9}}'));
  const { modelAnswered, usage, units } = tap.facts();
  expect({ modelAnswered, usage, units }).toEqual({
    modelAnswered: 'claude-x',
    usage: { ...UNKNOWN_USAGE, input: 7, cacheRead: 3, output: 9 },
    units: { searches: 2, images: null, audioSeconds: null },
  });
});

test("Anthropic's fast mode has prices of its own, and says so in its usage", () => {
  const tap = new UsageTap(PROVIDERS.anthropic);
  tap.look(Buffer.from('{"usage":{"input_tokens":3,"output_tokens":1,"service_tier":"standard","speed":"fast"}}'));
  expect(tap.facts().serviceTier).toBe('fast');
});

test('Claude is read in its own words where others serve it, too', () => {
  for (const provider of [PROVIDERS.vertex, PROVIDERS.bedrock]) {
    const tap = new UsageTap(provider);
    tap.look(Buffer.from('{"model":"claude-x","usage":{"input_tokens":3,"cache_read_input_tokens":2,"output_tokens":1}}'));
    expect(tap.facts().usage).toEqual({ ...UNKNOWN_USAGE, input: 3, cacheRead: 2, output: 1 });
  }
});

test('usage that its provider cannot be asked about stays raw, and is flagged', () => {
  const tap = new UsageTap({});
  tap.look(Buffer.from('{"usage":{"tokens":3}}'));
  expect(tap.facts()).toMatchObject({ usage: null, rawUsage: '{"tokens":3}', usageFlags: ['usage_unread'] });
});

test.each(['', 'no JSON', '[]', '{"usage":3}', '{"message":"text"}'])('%j says nothing', (bytes) => {
  const tap = new UsageTap(PROVIDERS.openai);
  tap.look(Buffer.from(bytes));
  expect(tap.facts()).toMatchObject({ usage: null, rawUsage: null, usageFlags: [] });
});
