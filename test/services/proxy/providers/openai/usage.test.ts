import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses, UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import { PLAIN_READING } from '../../../../../services/proxy/providers/openai/reading.ts';
import { readChatAnswer as readAnswer } from '../../../../../services/proxy/providers/openai/response.ts';
import { normalizeUsage } from '../../../../../services/proxy/providers/openai/usage.ts';
import { chatRecordings } from '../../../../harness/provider-recordings.ts';

const classes = (usage: Partial<TokenUsage>): TokenUsage => ({ ...UNKNOWN_USAGE, ...usage });

const readChatAnswer = (bytes: Buffer) => readAnswer(bytes, PLAIN_READING);

describe('usage', () => {
  test.each(
    chatRecordings.filter(({ events, status }) => events === null && status === 200).map((recording) => [recording.name, recording.bytes]),
  )('of %s sums to what the provider counted', (_name, bytes) => {
    const usage: Record<string, number> = JSON.parse(bytes.toString()).usage;
    const facts = readChatAnswer(bytes)?.facts;
    const read = facts?.usage ?? UNKNOWN_USAGE;
    expect((sumClasses(read, INPUT_CLASSES) ?? 0) + (sumClasses(read, OUTPUT_CLASSES) ?? 0)).toBe(usage.total_tokens);
    expect(JSON.parse(facts?.rawUsage ?? '')).toEqual(usage);
  });

  test('never goes below zero and never loses a token of the whole, whatever the parts claim', () => {
    const count = fc.option(fc.nat({ max: 1_000 }), { nil: undefined });
    const raw = fc.record({
      prompt_tokens: fc.nat({ max: 1_000 }),
      completion_tokens: fc.nat({ max: 1_000 }),
      prompt_tokens_details: fc.record({ cached_tokens: count, cache_write_tokens: count, audio_tokens: count, image_tokens: count }),
      completion_tokens_details: fc.record({ reasoning_tokens: count, audio_tokens: count }),
    });
    fc.assert(
      fc.property(raw, (given) => {
        const { usage } = normalizeUsage(given);
        for (const tokens of Object.values(usage ?? {})) expect(tokens ?? 0).toBeGreaterThanOrEqual(0);
        expect(sumClasses(usage ?? UNKNOWN_USAGE, INPUT_CLASSES)).toBe(given.prompt_tokens);
        expect(sumClasses(usage ?? UNKNOWN_USAGE, OUTPUT_CLASSES)).toBe(given.completion_tokens);
      }),
    );
  });

  test.each([
    [{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, classes({ input: 0, output: 0 }), []],
    [{ prompt_tokens: 5, completion_tokens: null }, classes({ input: 5 }), ['usage_partial']],
    [{ prompt_tokens: 5, completion_tokens: 2, total_tokens: 9 }, classes({ input: 5, output: 2 }), ['total_mismatch']],
    [{ prompt_tokens: -5, completion_tokens: 2 }, classes({ output: 2 }), ['usage_invalid', 'usage_partial']],
    [{ prompt_tokens: 1.5, completion_tokens: '2' }, null, ['usage_invalid', 'usage_missing']],
    [{}, null, ['usage_missing']],
  ])('that is odd says so: %j', (raw, usage, flags) => {
    expect(normalizeUsage(raw)).toEqual({ usage, flags });
  });

  test('keeps the digits of the provider’s own object', () => {
    const text = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1, "cost":0.00044968000, "seed":12345678901234567890}}';
    expect(readChatAnswer(Buffer.from(text))?.facts.rawUsage).toBe(
      '{"prompt_tokens":1,"completion_tokens":1, "cost":0.00044968000, "seed":12345678901234567890}',
    );
  });
});
