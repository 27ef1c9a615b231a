import { describe, expect, test } from 'vitest';
import { importEntry } from '../../../services/pricing/import-entry.ts';
import { parseLosslessJson } from '../../../services/pricing/lossless-json.ts';
import { shippedPriceBook } from '../../../services/pricing/price-book.ts';
import type { TableEntry } from '../../../services/pricing/table-prices.ts';

/** An entry as the table writes it, so that number literals are read the way the importer reads them. */
function entry(json: string): TableEntry {
  return parseLosslessJson(`{"litellm_provider": "openai", "mode": "chat", ${json}}`) as TableEntry;
}
const chat = '"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05';

function accepted(key: string, json: string): Extract<ReturnType<typeof importEntry>, { kind: 'accepted' }> {
  const imported = importEntry(key, entry(json));
  if (imported.kind === 'refused') throw new Error(`${imported.refusal} ${imported.detail}`);
  return imported;
}
function refusal(key: string, json: string): string {
  const imported = importEntry(key, entry(json));
  return imported.kind === 'refused' ? imported.refusal : 'accepted';
}

describe('exact decimals', () => {
  test.each([
    ['1.5e-07', '150000'],
    ['2.8e-08', '28000'],
    ['1.3e-10', '130'],
    ['0.0000001', '100000'],
    ['3e-7', '300000'],
    ['1E-06', '1000000'],
  ])('%s USD a token is %s pico-USD', (literal, pico) => {
    expect(accepted('m', `"input_cost_per_token": ${literal}, "output_cost_per_token": 1e-06`).sheet.standard.input).toBe(pico);
  });

  test('a price with the dirt of a double on it is refused, not rounded', () => {
    expect(refusal('databricks/m', '"input_cost_per_token": 2.9999900000000002e-06, "output_cost_per_token": 1.5e-05')).toBe('not_exact');
  });

  test('number strings and nulls, which earlier tables had, are read', () => {
    expect(
      accepted('m', '"input_cost_per_token": "2.5e-06", "output_cost_per_token": 1e-05, "cache_read_input_token_cost": null').sheet,
    ).toEqual({
      standard: { input: '2500000', output: '10000000' },
    });
  });

  test('what is no number is refused', () => {
    expect(refusal('m', '"input_cost_per_token": "cheap", "output_cost_per_token": 1e-05')).toBe('not_exact');
    expect(refusal('m', '"input_cost_per_token": true, "output_cost_per_token": 1e-05')).toBe('not_exact');
    expect(refusal('m', '"input_cost_per_token": -1e-06, "output_cost_per_token": 1e-05')).toBe('not_exact');
  });
});

describe('fields', () => {
  test('every token class, tier, threshold and combination finds its place', () => {
    const { sheet } = accepted(
      'm',
      `${chat}, "cache_read_input_token_cost": 2.5e-07, "cache_creation_input_token_cost": 3e-06, "cache_creation_input_token_cost_above_1hr": 5e-06,
       "input_cost_per_audio_token": 4e-05, "output_cost_per_audio_token": 8e-05, "input_cost_per_image_token": 6e-06, "output_cost_per_image_token": 7e-05,
       "output_cost_per_reasoning_token": 2e-05,
       "input_cost_per_token_priority": 5e-06, "output_cost_per_token_priority": 2e-05, "cache_read_input_token_cost_priority": 5e-07,
       "input_cost_per_token_flex": 1.25e-06, "output_cost_per_token_flex": 5e-06,
       "input_cost_per_token_batches": 1.25e-06, "output_cost_per_token_batches": 5e-06,
       "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
       "cache_read_input_token_cost_above_200k_tokens": 6e-07, "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
       "input_cost_per_token_above_200k_tokens_priority": 1.2e-05,
       "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.01, "search_context_size_high": 0.01}`,
    );
    expect(sheet).toEqual({
      standard: {
        input: '2500000',
        cacheRead: '250000',
        cacheWrite5m: '3000000',
        cacheWrite1h: '5000000',
        inputAudio: '40000000',
        inputImage: '6000000',
        output: '10000000',
        reasoning: '20000000',
        outputAudio: '80000000',
        outputImage: '70000000',
        search: '10000000000',
      },
      priority: { input: '5000000', cacheRead: '500000', output: '20000000' },
      flex: { input: '1250000', output: '5000000' },
      batch: { input: '1250000', output: '5000000' },
      longContext: [
        {
          aboveInputTokens: 200_000,
          standard: { input: '6000000', cacheRead: '600000', cacheWrite1h: '12000000', output: '22500000' },
          priority: { input: '12000000' },
        },
      ],
    });
  });

  test("DeepSeek's older name of the cache-read price is read", () => {
    expect(accepted('m', `${chat}, "input_cost_per_token_cache_hit": 2.5e-07`).sheet.standard.cacheRead).toBe('250000');
  });

  test('a reasoning price equal to the output price says nothing of its own', () => {
    expect(accepted('m', `${chat}, "output_cost_per_reasoning_token": 1e-05`).sheet.standard).not.toHaveProperty('reasoning');
  });

  test('tiered_pricing becomes thresholds, and a list with a gap is refused', () => {
    const tier = (range: string, input: string): string =>
      `{"range": ${range}, "input_cost_per_token": ${input}, "output_cost_per_token": 1e-05}`;
    expect(accepted('m', `"tiered_pricing": [${tier('[0, 32000.0]', '1e-06')}, ${tier('[32000.0, 128000.0]', '2e-06')}]`).sheet).toEqual({
      standard: { input: '1000000', output: '10000000' },
      longContext: [{ aboveInputTokens: 32_000, standard: { input: '2000000', output: '10000000' } }],
    });
    expect(refusal('m', `"tiered_pricing": [${tier('[0, 32000.0]', '1e-06')}, ${tier('[64000, 128000]', '2e-06')}]`)).toBe('not_exact');
  });

  test('Databricks units are not taken for USD', () => {
    expect(accepted('m', `${chat}, "input_dbu_cost_per_token": 3.5e-05`).sheet).toEqual({
      standard: { input: '2500000', output: '10000000' },
    });
  });

  test('limits written as floats are whole numbers, and the announced last day is kept', () => {
    const { model } = accepted(
      'gpt-x',
      `${chat}, "max_input_tokens": 2000000.0, "max_output_tokens": 64000, "deprecation_date": "2026-05-15"`,
    );
    expect(model).toEqual({
      provider: 'openai',
      model: 'gpt-x',
      mode: 'chat',
      contextWindow: 2_000_000,
      maxOutputTokens: 64_000,
      deprecatedOn: '2026-05-15',
      source: 'gpt-x',
    });
  });
});

describe('names', () => {
  test.each([
    ['gpt-5', 'openai', 'openai', 'gpt-5'],
    ['gemini/gemini-2.5-pro', 'gemini', 'gemini', 'gemini-2.5-pro'],
    ['gemini-2.5-pro', 'vertex_ai-language-models', 'vertex', 'gemini-2.5-pro'],
    ['vertex_ai/claude-opus-5', 'vertex_ai-anthropic_models', 'vertex', 'claude-opus-5'],
    ['together_ai/meta-llama/Llama-3', 'together_ai', 'together', 'meta-llama/Llama-3'],
    ['fireworks_ai/accounts/fireworks/models/x', 'fireworks_ai', 'fireworks', 'accounts/fireworks/models/x'],
    ['openrouter/openai/gpt-5', 'openrouter', 'openrouter', 'openai/gpt-5'],
    ['azure/eu/gpt-5', 'azure', 'azure', 'eu/gpt-5'],
    ['us.anthropic.claude-x', 'bedrock_converse', 'bedrock', 'us.anthropic.claude-x'],
    ['text-davinci', 'text-completion-openai', 'openai', 'text-davinci'],
    ['amazon-nova/nova-lite-v1', 'amazon_nova', 'amazon-nova', 'nova-lite-v1'],
  ])('%s of %s is %s/%s', (key, tableProvider, provider, model) => {
    const imported = importEntry(key, parseLosslessJson(`{"litellm_provider": "${tableProvider}", "mode": "chat", ${chat}}`) as TableEntry);
    expect(imported).toMatchObject({ kind: 'accepted', model: { provider, model } });
  });
});

describe('unknown is not free', () => {
  test('0 and 0 is refused', () => {
    expect(refusal('ollama/llama3', '"input_cost_per_token": 0.0, "output_cost_per_token": 0.0')).toBe('zero_price');
  });

  test('no price is refused', () => {
    expect(refusal('github_copilot/gpt-5', '"max_tokens": 1000')).toBe('no_price');
  });

  test('one side at 0 is refused', () => {
    expect(refusal('m', '"input_cost_per_token": 1e-06, "output_cost_per_token": 0')).toBe('one_sided');
    expect(refusal('m', '"input_cost_per_token": 0, "output_cost_per_token": 1e-06, "input_cost_per_request": 0.005')).toBe('one_sided');
  });

  test('a single 0 beside real prices is recorded as unknown', () => {
    const imported = accepted('m', `${chat}, "cache_creation_input_token_cost": 0.0, "cache_read_input_token_cost": 0`);
    expect(imported.sheet.standard).toMatchObject({ cacheRead: null, cacheWrite5m: null });
    expect(imported.omitted.map(({ omission }) => omission)).toEqual(['zero_component', 'zero_component']);
  });

  test('an embedding has no output, so a 0 there is none', () => {
    const imported = importEntry(
      'e',
      parseLosslessJson(
        '{"mode":"embedding","litellm_provider":"openai","input_cost_per_token":2e-08,"output_cost_per_token":0}',
      ) as TableEntry,
    );
    expect(imported).toMatchObject({ kind: 'accepted', sheet: { standard: { input: '20000' } } });
  });
});

describe('wrong or doubtful data (reference/providers.md 8.3)', () => {
  test('wandb/*: prices a thousand to a million times too high', () => {
    expect(refusal('wandb/zai-org/GLM-4.5', '"input_cost_per_token": 0.055, "output_cost_per_token": 0.2')).toBe('implausible');
  });

  test('azure_ai/jais-30b-chat: the same', () => {
    expect(refusal('azure_ai/jais-30b-chat', '"input_cost_per_token": 0.0032, "output_cost_per_token": 0.00971')).toBe('implausible');
  });

  test('the dearest real price passes: o1-pro', () => {
    expect(refusal('o1-pro', '"input_cost_per_token": 0.00015, "output_cost_per_token": 0.0006')).toBe('accepted');
  });

  test('gemini/gemini-1.5-flash: output price 0', () => {
    expect(refusal('gemini/gemini-1.5-flash', '"input_cost_per_token": 7.5e-08, "output_cost_per_token": 0')).toBe('known_bad');
  });

  test('embed-multilingual-light-v3.0: written per thousand tokens, and not dear enough to be implausible', () => {
    expect(refusal('embed-multilingual-light-v3.0', '"input_cost_per_token": 0.0001')).toBe('known_bad');
    expect(shippedPriceBook().modelOf('cohere', 'embed-multilingual-light-v3.0')).toBeNull();
  });

  test('gpt-5-nano: a priority input price without a priority output price is not taken', () => {
    const imported = accepted(
      'gpt-5-nano',
      '"input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07, "input_cost_per_token_priority": 2.5e-06, "input_cost_per_token_flex": 2.5e-08, "output_cost_per_token_flex": 2e-07',
    );
    expect(imported.sheet).toEqual({ standard: { input: '50000', output: '400000' }, flex: { input: '25000', output: '200000' } });
    expect(imported.omitted).toEqual([{ omission: 'tier_incomplete', what: 'priority' }]);
  });

  test.each([
    [
      'ft:davinci-002',
      '"input_cost_per_token": 1.2e-05, "output_cost_per_token": 1.2e-05, "input_cost_per_token_batches": 1e-06, "output_cost_per_token_batches": 1e-06',
    ],
    [
      'ft:babbage-002',
      '"input_cost_per_token": 1.6e-06, "output_cost_per_token": 1.6e-06, "input_cost_per_token_batches": 2e-07, "output_cost_per_token_batches": 2e-07',
    ],
    [
      'azure/us/gpt-4.1-nano-2025-04-14',
      '"input_cost_per_token": 1.1e-07, "output_cost_per_token": 4.4e-07, "input_cost_per_token_batches": 6e-08, "output_cost_per_token_batches": 2.2e-07',
    ],
  ])('%s: a batch price that is not half the base is not taken', (key, json) => {
    const imported = accepted(key, json);
    expect(imported.sheet).not.toHaveProperty('batch');
    expect(imported.omitted).toEqual([{ omission: 'batch_not_half', what: 'batch' }]);
  });

  test('gemini/gemini-2.5-pro: a priority price equal to the standard price is not taken, long context included', () => {
    const imported = accepted(
      'gemini/gemini-2.5-pro',
      `"input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05, "input_cost_per_token_priority": 1.25e-06, "output_cost_per_token_priority": 1e-05,
       "input_cost_per_token_above_200k_tokens": 2.5e-06, "output_cost_per_token_above_200k_tokens": 1.5e-05, "input_cost_per_token_above_200k_tokens_priority": 2.5e-06`,
    );
    expect(imported.sheet).toEqual({
      standard: { input: '1250000', output: '10000000' },
      longContext: [{ aboveInputTokens: 200_000, standard: { input: '2500000', output: '15000000' } }],
    });
    expect(imported.omitted).toEqual([{ omission: 'tier_not_dearer', what: 'priority' }]);
  });

  test('a flex price that is not below the standard price is not taken', () => {
    expect(accepted('m', `${chat}, "input_cost_per_token_flex": 2.5e-06, "output_cost_per_token_flex": 5e-06`).sheet).not.toHaveProperty(
      'flex',
    );
  });

  test('a cache read that is not cheaper than input (Azure gpt-realtime) is unknown', () => {
    const imported = accepted(
      'azure/gpt-realtime-2025-08-28',
      '"input_cost_per_token": 4e-06, "output_cost_per_token": 1.6e-05, "cache_read_input_token_cost": 4e-06',
    );
    expect(imported.sheet.standard.cacheRead).toBeNull();
    expect(imported.omitted).toEqual([{ omission: 'cache_read_not_cheaper', what: 'cacheRead' }]);
  });

  test('whisper-1: the price of a second stands twice and is charged once', () => {
    const imported = importEntry(
      'whisper-1',
      parseLosslessJson(
        '{"litellm_provider":"openai","mode":"audio_transcription","input_cost_per_second":0.0001,"output_cost_per_second":0.0001}',
      ) as TableEntry,
    );
    expect(imported).toMatchObject({
      kind: 'accepted',
      sheet: { standard: { audioSecond: '100000000' } },
      omitted: [{ omission: 'charged_once', what: 'output_cost_per_second' }],
    });
  });

  test('amazon.nova-*: prompt caching without a cache-read price leaves that price unknown', () => {
    const imported = accepted(
      'amazon.nova-lite-v1:0',
      '"input_cost_per_token": 6e-08, "output_cost_per_token": 2.4e-07, "supports_prompt_caching": true',
    );
    expect(imported.sheet).toEqual({ standard: { input: '60000', cacheRead: null, output: '240000' } });
    expect(imported.omitted).toEqual([{ omission: 'cache_read_unstated', what: 'cacheRead' }]);
  });

  test.each([
    'deepseek-chat',
    'deepseek/deepseek-chat',
    'mistral/mistral-small-latest',
    'mistral/mistral-medium-latest',
    'mistral/ministral-8b-latest',
    'mistral/codestral-latest',
  ])('%s: disputed by other price tables', (key) => {
    expect(refusal(key, chat)).toBe('known_bad');
  });

  test('perplexity/sonar: a fee for every answer that depends on a setting', () => {
    const fee =
      '"search_context_cost_per_query": {"search_context_size_low": 0.005, "search_context_size_medium": 0.008, "search_context_size_high": 0.012}';
    expect(refusal('perplexity/sonar', `${chat}, ${fee}`)).toBe('search_fee_by_size');
    // Where searching is a choice, only the search is of unknown price.
    expect(accepted('gpt-4o-mini-2024-07-18', `${chat}, ${fee}`).sheet.standard.search).toBeNull();
  });
});

describe('other units', () => {
  const of = (mode: string, json: string): ReturnType<typeof importEntry> =>
    importEntry('p/m', parseLosslessJson(`{"litellm_provider": "p", "mode": "${mode}", ${json}}`) as TableEntry);

  test('a reranker is billed by search unit and takes its tokens for nothing', () => {
    expect(of('rerank', '"input_cost_per_query": 0.002, "input_cost_per_token": 0.0, "output_cost_per_token": 0.0')).toMatchObject({
      kind: 'accepted',
      sheet: { standard: { search: '2000000000', input: '0', output: '0' } },
    });
  });

  test('a picture has one price, or the prices of its tokens, never both', () => {
    expect(of('image_generation', '"output_cost_per_image": 0.04')).toMatchObject({
      kind: 'accepted',
      sheet: { standard: { image: '40000000000' } },
    });
    expect(
      of(
        'image_generation',
        '"input_cost_per_token": 3e-07, "output_cost_per_token": 2.5e-06, "output_cost_per_image": 0.039, "output_cost_per_image_token": 3e-05',
      ),
    ).toMatchObject({
      kind: 'accepted',
      sheet: { standard: { input: '300000', output: '2500000', outputImage: '30000000' } },
      omitted: [{ omission: 'counted_as_tokens', what: 'output_cost_per_image' }],
    });
  });

  test('an image model with one output price puts it on all its output', () => {
    expect(of('image_generation', '"input_cost_per_token": 5e-06, "output_cost_per_image_token": 4e-05')).toMatchObject({
      sheet: { standard: { input: '5000000', output: '40000000', outputImage: '40000000' } },
    });
  });

  test.each([
    ['audio_speech', '"input_cost_per_character": 1.5e-05'],
    ['image_generation', '"input_cost_per_pixel": 1.9e-08, "output_cost_per_pixel": 0.0'],
    ['embedding', '"input_cost_per_token": 8e-07, "input_cost_per_image": 6e-05'],
    ['chat', `${chat}, "citation_cost_per_token": 2e-06`],
    ['chat', '"input_cost_per_second": 0.01475, "output_cost_per_second": 0.01475'],
  ])('%s billed by %s is refused', (mode, json) => {
    expect(of(mode, json)).toMatchObject({ kind: 'refused', refusal: 'unit_unsupported' });
  });

  test.each(['realtime', 'video_generation', 'ocr', 'search', 'vector_store', 'moderation'])('%s is left out', (mode) => {
    expect(of(mode, chat)).toMatchObject({ kind: 'refused', refusal: 'mode_left_out', detail: mode });
  });

  test('sizes of pictures are no models', () => {
    for (const key of ['1024-x-1024/dall-e-2', 'azure/hd/1024-x-1792/dall-e-3', 'max-x-max/50-steps/stability.stable-diffusion-xl-v0']) {
      expect(importEntry(key, parseLosslessJson('{"mode":"image_generation","output_cost_per_image":0.04}') as TableEntry)).toMatchObject({
        refusal: 'size_class',
      });
    }
  });
});
