import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseUsd } from '../../../schema/values/money.ts';
import { type TokenUsage, UNKNOWN_USAGE, type UnitUsage } from '../../../schema/values/token-usage.ts';
import { parseLosslessJson } from '../../../services/pricing/lossless-json.ts';
import { shippedPriceBook } from '../../../services/pricing/price-book.ts';
import { type PriceSheet, parsePriceSheet, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { rate } from '../../../services/pricing/rate.ts';

/** Numbers as the recording spells them; member access past what is there gives undefined. */
// biome-ignore lint/suspicious/noExplicitAny: recordings have the shape of their provider, which is what the test knows.
type Recorded = any;

/** The last usage a recorded answer holds. */
function recordedUsage(name: string): Recorded {
  const file = new URL(`../../fixtures/providers/${name}.json`, import.meta.url);
  const { response } = parseLosslessJson(readFileSync(file, 'utf8')) as Recorded;
  if (response.body !== undefined) return response.body.usage;
  const usages = response.sse
    .join('')
    .split(/\r?\n/)
    .filter((line: string) => line.startsWith('data: {'))
    .map((line: string) => parseLosslessJson(line.slice(6)) as Recorded)
    .map((event: Recorded) => event.usage ?? event.response?.usage)
    .filter((found: Recorded) => found != null);
  return usages.at(-1);
}

function shipped(provider: string, model: string): PriceSheet {
  const sheet = shippedPriceBook().sheetFor(provider, model, Date.parse('2026-11-01T00:00:00Z'));
  if (sheet === null) throw new Error(`${provider}/${model} is not in the catalogue`);
  return sheet;
}

function costOf(usage: TokenUsage, sheet: PriceSheet, units: UnitUsage | null = null): bigint {
  const rating = rate(usage, units, { tier: null, batch: false, requests: 1 }, sheet);
  if (rating.kind === 'unrated') throw new Error(rating.reason);
  return rating.cost;
}

/** 1 tick is 10^-10 USD. */
const PICO_PER_TICK = 100n;

describe('xAI reports what a call cost, and we come to the same to the last digit', () => {
  test.each([
    ['chat.completions.stream.parallel-tools_reasoning_cache-read.grok-code-fast-1', 'grok-code-fast-1'],
    ['chat.completions.sync.parallel-tools_reasoning_cache-read.grok-code-fast-1', 'grok-code-fast-1'],
    ['chat.completions.stream.tool-call', 'grok-3-mini'],
    ['chat.completions.sync.tool-result-in_reasoning_cache-read.grok-3-mini', 'grok-3-mini'],
  ])('chat: %s', (name, model) => {
    const recorded = recordedUsage(`xai/${name}`);
    const cacheRead = Number(recorded.prompt_tokens_details.cached_tokens);
    const usage = {
      ...UNKNOWN_USAGE,
      input: Number(recorded.prompt_tokens) - cacheRead,
      cacheRead,
      output: Number(recorded.completion_tokens),
      reasoning: Number(recorded.completion_tokens_details.reasoning_tokens),
    };
    expect(costOf(usage, shipped('xai', model))).toBe(BigInt(recorded.cost_in_usd_ticks) * PICO_PER_TICK);
  });

  const responsesUsage = (recorded: Recorded): TokenUsage => {
    const cacheRead = Number(recorded.input_tokens_details.cached_tokens);
    const reasoning = Number(recorded.output_tokens_details.reasoning_tokens);
    return {
      ...UNKNOWN_USAGE,
      input: Number(recorded.input_tokens) - cacheRead,
      cacheRead,
      output: Number(recorded.output_tokens) - reasoning,
      reasoning,
    };
  };

  test.each([
    'responses.sync.parallel-tools_reasoning_cache-read_encrypted-reasoning.grok-4.3',
    'responses.sync.tool-result-in_reasoning_cache-read_image-in.grok-4.3',
    'responses.stream.tool-call_tool-result-in_reasoning_cache-read.grok-4.3',
  ])('responses: %s', (name) => {
    const recorded = recordedUsage(`xai/${name}`);
    expect(costOf(responsesUsage(recorded), shipped('xai', 'grok-4.3'))).toBe(BigInt(recorded.cost_in_usd_ticks) * PICO_PER_TICK);
  });

  test('with two searches at 0.005 USD, once the sheet knows that fee; without it the call is unrated', () => {
    const recorded = recordedUsage('xai/responses.sync.reasoning_cache-read_web-search_citations.grok-4.3');
    const usage = responsesUsage(recorded);
    const units = { searches: Number(recorded.num_server_side_tools_used), images: null, audioSeconds: null };
    const tokensOnly = shipped('xai', 'grok-4.3');
    const withFee = parsePriceSheet({ ...tokensOnly, standard: { ...tokensOnly.standard, search: parseUsd('0.005').toString() } });
    expect(costOf(usage, withFee, units)).toBe(BigInt(recorded.cost_in_usd_ticks) * PICO_PER_TICK);
    expect(costOf(usage, withFee, units)).toBe(parseUsd('0.01607085'));
    expect(rate(usage, units, { tier: null, batch: false, requests: 1 }, tokensOnly)).toEqual({ kind: 'unrated', reason: 'price_missing' });
  });
});

describe('OpenRouter reports what a call cost, and we come to the same to the last digit', () => {
  test('cached input and reasoning: z-ai/glm-5-turbo, at its price of that day', () => {
    const recorded = recordedUsage('openrouter/chat.completions.stream.parallel-tools_reasoning_cache-read.glm-5-turbo');
    const sheet = sheetFromPerMillion({ input: '1.2', cacheRead: '0.24', output: '4' });
    const usage = { ...UNKNOWN_USAGE, input: 275 - 192, cacheRead: 192, output: 76 - 27, reasoning: 27 };
    expect(costOf(usage, sheet)).toBe(parseUsd(recorded.cost));
  });

  test("x-ai/grok-4.1-fast, at the catalogue's price of xAI itself", () => {
    const recorded = recordedUsage('openrouter/chat.completions.sync.parallel-tools_reasoning_cache-read.grok-4.1-fast');
    const usage = { ...UNKNOWN_USAGE, input: 445 - 151, cacheRead: 151, output: 278 - 210, reasoning: 210 };
    expect(costOf(usage, shipped('xai', 'grok-4-1-fast'))).toBe(parseUsd(recorded.cost));
  });

  test("cache write: openai/gpt-5.6-sol, at the catalogue's price of OpenAI itself", () => {
    const recorded = recordedUsage('openrouter/responses.sync.cache-write.gpt-5.6-sol');
    const usage = { ...UNKNOWN_USAGE, input: 4020 - 4012, cacheRead: 0, cacheWrite5m: 4012, output: 5, reasoning: 0 };
    expect(costOf(usage, shipped('openai', 'gpt-5.6-sol'))).toBe(parseUsd(recorded.cost));
  });

  test('a genuine 0 of a :free model is a price somebody stated', () => {
    const recorded = recordedUsage('openrouter/chat.completions.stream.reasoning_stop-length_mid-stream-error.minimax-m2-free');
    expect(recorded.cost).toBe('0');
    expect(costOf({ ...UNKNOWN_USAGE, input: 43, output: 10 }, sheetFromPerMillion({ input: '0', output: '0' }))).toBe(0n);
  });
});

describe('Perplexity rounds each part of its cost to 0.00001 USD, one by one; we are exact and differ by no more than that', () => {
  test.each(['chat.completions.sync.structured_web-search.sonar', 'chat.completions.stream.web-search.sonar'])('%s', (name) => {
    const recorded = recordedUsage(`perplexity/${name}`);
    const sheet = sheetFromPerMillion({ input: '1', output: '1', request: recorded.cost.request_cost });
    const usage = { ...UNKNOWN_USAGE, input: Number(recorded.prompt_tokens), output: Number(recorded.completion_tokens) };
    const cost = costOf(usage, sheet);
    expect(cost).toBe(parseUsd('0.005') + BigInt(usage.input + usage.output) * 1_000_000n);
    const difference = cost - parseUsd(recorded.cost.total_cost);
    expect(difference < 0n ? -difference : difference).toBeLessThanOrEqual(parseUsd('0.00001'));
  });
});
