import { describe, expect, test } from 'vitest';
import { type EffectivePrices, effectivePrices } from '../../../services/pricing/effective-prices.ts';
import { type PriceSheet, parsePriceSheet, type ServiceTier } from '../../../services/pricing/price-sheet.ts';

function pricesOf(sheet: PriceSheet, tier: ServiceTier = 'standard', totalInputTokens = 0): EffectivePrices {
  const prices = effectivePrices(sheet, tier, totalInputTokens);
  if (typeof prices === 'string') throw new Error(prices);
  return prices;
}

const long = parsePriceSheet({
  standard: { input: '100', cacheRead: '10', output: '400' },
  priority: { input: '200', output: '800' },
  flex: { input: '50', output: '200' },
  batch: { input: '50', output: '200' },
  longContext: [
    { aboveInputTokens: 128_000, standard: { input: '150', output: '600' }, priority: { input: '300' } },
    { aboveInputTokens: 512_000, standard: { input: '190', cacheRead: '19' } },
  ],
});

describe('long context', () => {
  test('begins strictly above the threshold', () => {
    expect(pricesOf(long, 'standard', 128_000)).toMatchObject({ input: 100n, output: 400n });
    expect(pricesOf(long, 'standard', 128_001)).toMatchObject({ input: 150n, output: 600n });
  });

  test('a price the long variant does not state stays the base price (grok-4-fast has no cache price above 128k)', () => {
    expect(pricesOf(long, 'standard', 128_001).cacheRead).toBe(10n);
  });

  test('the highest threshold passed counts, and falls back to the base, not to a lower threshold', () => {
    expect(pricesOf(long, 'standard', 512_001)).toMatchObject({ input: 190n, cacheRead: 19n, output: 400n });
  });

  test('with a tier: the combined price, then the long one, then the tier, then the base', () => {
    expect(pricesOf(long, 'priority', 128_001)).toMatchObject({ input: 300n, output: 600n, cacheRead: 10n });
  });

  test.each(['flex', 'batch'] as const)('a %s price that is not stated above the threshold is unknown', (tier) => {
    expect(pricesOf(long, tier, 128_000).input).toBe(50n);
    expect(effectivePrices(long, tier, 128_001)).toBe('combination_unknown');
  });
});

describe('tiers', () => {
  test('a tier the sheet does not list is unknown, not standard', () => {
    expect(effectivePrices(parsePriceSheet({ standard: { input: '1' } }), 'priority', 0)).toBe('tier_unknown');
    expect(effectivePrices(parsePriceSheet({ standard: { input: '1' } }), 'batch', 0)).toBe('tier_unknown');
  });

  test('a unit the tier does not state keeps its standard price: there is no batch price for cached tokens', () => {
    expect(pricesOf(long, 'batch')).toMatchObject({ input: 50n, cacheRead: 10n });
  });
});

describe('a unit without a price', () => {
  const bare = pricesOf(parsePriceSheet({ standard: { input: '100', output: '400' } }));

  test('cache read and five-minute cache write cost what input costs', () => {
    expect(bare).toMatchObject({ cacheRead: 100n, cacheWrite5m: 100n });
  });

  test('one-hour cache write costs input where no cache write has a price', () => {
    expect(bare.cacheWrite1h).toBe(100n);
  });

  test('one-hour cache write is unknown where only the five-minute one has a price', () => {
    expect(pricesOf(parsePriceSheet({ standard: { input: '100', cacheWrite5m: '125' } })).cacheWrite1h).toBeNull();
    expect(pricesOf(parsePriceSheet({ standard: { input: '100', cacheWrite5m: '125', cacheWrite1h: '200' } })).cacheWrite1h).toBe(200n);
  });

  test('audio and image tokens cost what text costs, on their side', () => {
    expect(bare).toMatchObject({ inputAudio: 100n, inputImage: 100n, outputAudio: 400n, outputImage: 400n });
  });

  test('reasoning costs what output costs', () => {
    expect(bare.reasoning).toBe(400n);
  });

  test('reasoning follows the output price of the variant, not the base reasoning price', () => {
    const sheet = parsePriceSheet({
      standard: { input: '1', output: '2', reasoning: '3' },
      priority: { input: '10', output: '20' },
      flex: { input: '5', reasoning: '7' },
    });
    expect(pricesOf(sheet).reasoning).toBe(3n);
    expect(pricesOf(sheet, 'priority').reasoning).toBe(20n);
    expect(pricesOf(sheet, 'flex')).toMatchObject({ output: 2n, reasoning: 7n });
  });

  test('input, output and pieces are unknown', () => {
    expect(pricesOf(parsePriceSheet({ standard: {} }))).toMatchObject({
      input: null,
      cacheRead: null,
      output: null,
      reasoning: null,
      request: null,
      search: null,
      image: null,
      audioSecond: null,
    });
  });
});

test('null says unknown, and no fallback overrides it', () => {
  const sheet = parsePriceSheet({ standard: { input: '100', cacheRead: null, output: '400', reasoning: null }, flex: { input: '50' } });
  expect(pricesOf(sheet)).toMatchObject({ cacheRead: null, reasoning: null });
  expect(pricesOf(sheet, 'flex').cacheRead).toBeNull();
});

test('a stated zero is a price', () => {
  expect(pricesOf(parsePriceSheet({ standard: { input: '100', cacheRead: '0' } })).cacheRead).toBe(0n);
});
