import { describe, expect, test } from 'vitest';
import { buildCatalogue } from '../../../services/pricing/build-catalogue.ts';
import { type Catalogue, printCatalogue } from '../../../services/pricing/catalogue.ts';
import { printCatalogueReport } from '../../../services/pricing/catalogue-report.ts';

const source = (stateOn: string): Catalogue['source'] => ({ name: 'a table', stateOn, sha256: 'ab' });
const chat = (provider: string, input: string, output = '1e-05'): Record<string, unknown> => ({
  litellm_provider: provider,
  mode: 'chat',
  input_cost_per_token: input,
  output_cost_per_token: output,
});

describe('every entry is taken, a second key, or refused', () => {
  const outcome = buildCatalogue(
    {
      sample_spec: chat('openai', '0'),
      fallback_generalizations: { rules: [] },
      'gpt-5': chat('openai', '2e-06'),
      'openai/gpt-5': chat('openai', '2e-06'),
      'gemini-x': chat('vertex_ai-language-models', '1e-06'),
      'vertex_ai/gemini-x': chat('vertex_ai', '2e-06'),
      'ollama/llama': chat('ollama', '0', '0'),
    },
    source('2026-08-01'),
    null,
  );

  test('the documentation of the table is no entry, and the counts add up', () => {
    expect(outcome.entries).toBe(5);
    expect(outcome.taken.length + outcome.sameAs.length + outcome.refused.length).toBe(outcome.entries);
  });

  test('the same model at the same price is one model', () => {
    expect(outcome.taken).toEqual(['gpt-5']);
    expect(outcome.sameAs).toEqual([{ key: 'openai/gpt-5', first: 'gpt-5' }]);
  });

  test('the same model at two prices is none', () => {
    expect(outcome.refused).toEqual([
      { key: 'ollama/llama', refusal: 'zero_price', detail: '' },
      { key: 'gemini-x', refusal: 'ambiguous', detail: 'vertex/gemini-x' },
      { key: 'vertex_ai/gemini-x', refusal: 'ambiguous', detail: 'vertex/gemini-x' },
    ]);
  });

  test('the report names each of them and its counts add up', () => {
    const report = printCatalogueReport(outcome);
    for (const { key, refusal } of outcome.refused) {
      expect(report).toContain(`\`${key}\``);
      expect(report).toContain(`### \`${refusal}\``);
    }
    expect(report).toContain('| **all** | **5** |');
  });

  test('the file is one model a line', () => {
    expect(
      printCatalogue(outcome.catalogue)
        .split('\n')
        .filter((line) => line.startsWith('{"provider"')),
    ).toHaveLength(1);
    expect(JSON.parse(printCatalogue(outcome.catalogue))).toEqual(outcome.catalogue);
  });
});

describe('a later table', () => {
  const first = buildCatalogue({ a: chat('openai', '2e-06'), b: chat('openai', '2e-06') }, source('2026-07-01'), null).catalogue;
  const pricesOf = (catalogue: Catalogue, model: string): unknown =>
    catalogue.models.find((each) => each.model === model)?.prices.map(({ validFrom, sheet }) => [validFrom, sheet.standard.input]);

  test('adds a price where it changed and nothing where it did not', () => {
    const second = buildCatalogue({ a: chat('openai', '2e-06'), b: chat('openai', '4e-07') }, source('2026-08-01'), first).catalogue;
    expect(pricesOf(second, 'a')).toEqual([['2026-07-01', '2000000']]);
    expect(pricesOf(second, 'b')).toEqual([
      ['2026-07-01', '2000000'],
      ['2026-08-01', '400000'],
    ]);
  });

  test('of the same day replaces that day', () => {
    const again = buildCatalogue({ a: chat('openai', '3e-06') }, source('2026-07-01'), first).catalogue;
    expect(pricesOf(again, 'a')).toEqual([['2026-07-01', '3000000']]);
  });

  test('that is older than what stands is refused', () => {
    expect(() => buildCatalogue({}, source('2026-06-30'), first)).toThrow(/later than/);
  });
});

test('a table that is no object is refused', () => {
  expect(() => buildCatalogue([], source('2026-08-01'), null)).toThrow(RangeError);
});
