import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CATALOGUE_FORMAT, type Catalogue, printCatalogue } from '../../../services/pricing/catalogue.ts';
import { createPriceBook, readCatalogue, shippedPriceBook } from '../../../services/pricing/price-book.ts';
import { PRICED_UNITS, type PriceSheet, parsePriceSheet } from '../../../services/pricing/price-sheet.ts';

const november = Date.parse('2026-11-01T00:00:00Z');

describe('a price book', () => {
  const sheet = (input: string): PriceSheet => parsePriceSheet({ standard: { input } });
  const model = (provider: string, name: string, ...prices: [string, string][]): Catalogue['models'][number] => ({
    provider,
    model: name,
    mode: 'chat',
    source: name,
    prices: prices.map(([validFrom, input]) => ({ validFrom, sheet: sheet(input) })),
  });
  const book = createPriceBook({
    format: CATALOGUE_FORMAT,
    source: { name: 'a table', stateOn: '2026-08-01', sha256: 'ab' },
    models: [
      model('azure', 'm', ['2026-08-01', '3']),
      model('openai', 'm', ['2026-07-01', '1'], ['2026-08-01', '2']),
      model('openai', 'n', ['2026-08-01', '4']),
    ],
  });
  const inputAt = (at: string): string | null | undefined => book.sheetFor('openai', 'm', Date.parse(at))?.standard.input;

  test('gives the price in force at the time, from the first instant of its day', () => {
    expect(inputAt('2026-07-01T00:00:00Z')).toBe('1');
    expect(inputAt('2026-07-31T23:59:59.999Z')).toBe('1');
    expect(inputAt('2026-08-01T00:00:00Z')).toBe('2');
    expect(inputAt('2027-01-01T00:00:00Z')).toBe('2');
  });

  test('has none before the first, and none for what it does not know', () => {
    expect(book.sheetFor('openai', 'm', Date.parse('2026-06-30T23:59:59.999Z'))).toBeNull();
    expect(book.sheetFor('openai', 'M', november)).toBeNull();
    expect(book.sheetFor('nobody', 'm', november)).toBeNull();
    expect(book.pricesOf('nobody', 'm')).toEqual([]);
    expect(book.modelOf('nobody', 'm')).toBeNull();
  });

  test('lists who offers a model, and what somebody offers', () => {
    expect(book.providersOf('m')).toEqual(['azure', 'openai']);
    expect(book.providersOf('x')).toEqual([]);
    expect(book.modelsOf('openai').map((each) => each.model)).toEqual(['m', 'n']);
  });

  test('gives the same object for the same price, so that what is worked out for it is kept', () => {
    expect(book.sheetFor('openai', 'm', november)).toBe(book.sheetFor('openai', 'm', november + 1));
  });
});

describe('the shipped catalogue', () => {
  const catalogue = readCatalogue()!;
  const book = shippedPriceBook();
  const standardOf = (provider: string, name: string): unknown => book.sheetFor(provider, name, november)?.standard;

  test.each([
    ['openai', 'gpt-5-mini', { input: '250000', cacheRead: '25000', output: '2000000' }],
    ['openai', 'gpt-5.6-luna', { input: '200000', cacheRead: '20000', cacheWrite5m: '250000', output: '1200000' }],
    [
      'gemini',
      'gemini-2.5-flash',
      { input: '300000', cacheRead: '30000', inputAudio: '1000000', output: '2500000', search: '35000000000' },
    ],
    ['mistral', 'mistral-large-latest', { input: '500000', output: '1500000' }],
    ['xai', 'grok-4.3', { input: '1250000', cacheRead: '200000', output: '2500000' }],
    ['openai', 'whisper-1', { audioSecond: '100000000' }],
    ['openai', 'text-embedding-3-small', { input: '20000' }],
  ])('%s/%s has the price of the table', (provider, name, standard) => {
    expect(standardOf(provider, name)).toEqual(standard);
  });

  test.each([
    'openai',
    'anthropic',
    'gemini',
    'vertex',
    'azure',
    'bedrock',
    'groq',
    'mistral',
    'xai',
    'deepseek',
    'together',
    'fireworks',
    'openrouter',
    'cerebras',
    'cohere',
  ])('knows %s', (provider) => {
    expect(book.modelsOf(provider).length).toBeGreaterThan(5);
  });

  test.each([
    ['wandb', 'openai/gpt-oss-120b'],
    ['wandb', 'zai-org/GLM-4.5'],
    ['azure-ai', 'jais-30b-chat'],
    ['gemini', 'gemini-1.5-flash'],
    ['deepseek', 'deepseek-chat'],
    ['mistral', 'mistral-small-latest'],
    ['azure', 'gpt-realtime-2025-08-28'],
    ['azure', 'gpt-realtime-1.5-2026-02-23'],
    ['perplexity', 'sonar'],
    ['ollama', 'llama3'],
  ])('does not know the doubtful %s/%s', (provider, name) => {
    expect(book.sheetFor(provider, name, november)).toBeNull();
  });

  test.each([
    ['openai', 'gpt-5-nano', 'priority'],
    ['gemini', 'gemini-2.5-pro', 'priority'],
    ['openai', 'ft:davinci-002', 'batch'],
    ['openai', 'ft:babbage-002', 'batch'],
    ['azure', 'us/gpt-4.1-nano-2025-04-14', 'batch'],
  ] as const)('knows %s/%s, but not its doubtful %s price', (provider, name, tier) => {
    const sheet = book.sheetFor(provider, name, november)!;
    expect(sheet.standard.input).toMatch(/^[1-9]/);
    expect(sheet).not.toHaveProperty(tier);
  });

  test('every batch price is exactly half the standard price', () => {
    for (const { model, prices } of catalogue.models) {
      for (const { sheet } of prices) {
        for (const side of ['input', 'output'] as const) {
          const [batch, standard] = [sheet.batch?.[side], sheet.standard[side]];
          if (batch != null && standard != null) expect([model, BigInt(batch) * 2n]).toEqual([model, BigInt(standard)]);
        }
      }
    }
  });

  test('every sheet is well-formed, has a price above 0, and has a 0 only where a reranker is billed by search', () => {
    for (const { mode, source, prices } of catalogue.models) {
      expect(prices.length).toBeGreaterThan(0);
      for (const { sheet } of prices) {
        const { standard } = parsePriceSheet(sheet);
        const stated = PRICED_UNITS.map((unit) => standard[unit]).filter((price) => price != null);
        expect([source, stated.some((price) => price !== '0')]).toEqual([source, true]);
        if (mode !== 'rerank') expect([source, stated.includes('0')]).toEqual([source, false]);
      }
    }
  });

  test('models are sorted, each once, and the file is as the importer writes it', () => {
    const names = catalogue.models.map(({ provider, model }) => `${provider}\u0000${model}`);
    expect(names).toEqual([...new Set(names)].sort());
    expect(readFileSync(new URL('../../../services/pricing/catalogue.json', import.meta.url), 'utf8')).toBe(printCatalogue(catalogue));
  });

  test("the report's counts add up to the table's 2,984 entries", () => {
    const report = readFileSync(new URL('../../../services/pricing/catalogue-report.md', import.meta.url), 'utf8');
    const rows = [...report.matchAll(/^\| (?:taken|the same model|refused)[^|]*\| (\d+) \|$/gm)].map(([, count]) => Number(count));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(2984);
    expect(rows[0]).toBe(catalogue.models.length);
    expect(report).toContain('| **all** | **2984** |');
  });
});
