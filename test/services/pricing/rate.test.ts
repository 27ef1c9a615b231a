import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TOKEN_CLASSES, type TokenUsage, UNKNOWN_USAGE, type UnitUsage } from '../../../schema/values/token-usage.ts';
import {
  PRICED_UNITS,
  type PriceSheet,
  parsePriceSheet,
  priceVersion,
  sheetFromPerMillion,
} from '../../../services/pricing/price-sheet.ts';
import { type RatingContext, rate, rateCost } from '../../../services/pricing/rate.ts';

const once: RatingContext = { tier: null, batch: false, requests: 1 };
const NO_UNITS: UnitUsage = { searches: null, images: null, audioSeconds: null };
const usage = (known: Partial<TokenUsage>): TokenUsage => ({ ...UNKNOWN_USAGE, ...known });
const sheet = sheetFromPerMillion({ input: '0.15', cacheRead: '0.075', output: '0.6' });

describe('a rating', () => {
  test('is the exact sum of its lines, each tokens times price, under the name of the price', () => {
    expect(rate(usage({ input: 10, cacheRead: 5, output: 7, reasoning: 3 }), null, once, sheet)).toEqual({
      kind: 'rated',
      cost: 7_875_000n,
      priceVersion: priceVersion(sheet),
      lines: [
        { class: 'input', quantity: 10, unitPrice: 150_000n, cost: 1_500_000n },
        { class: 'cacheRead', quantity: 5, unitPrice: 75_000n, cost: 375_000n },
        { class: 'output', quantity: 7, unitPrice: 600_000n, cost: 4_200_000n },
        { class: 'reasoning', quantity: 3, unitPrice: 600_000n, cost: 1_800_000n },
      ],
    });
  });

  test('counts pieces: the request itself, searches, images, seconds of audio', () => {
    const pieces = sheetFromPerMillion({ input: '1', output: '1', request: '0.005', search: '0.01', image: '0.04', audioSecond: '0.0001' });
    const rating = rate(usage({ input: 1, output: 1 }), { searches: 2, images: 1, audioSeconds: 12.34 }, once, pieces);
    expect(rating).toMatchObject({
      kind: 'rated',
      cost: 5_000_000_000n + 2n * 10_000_000_000n + 40_000_000_000n + 1_234_000_000n + 2_000_000n,
    });
  });

  test('prices the whole request by its total input, cached tokens counted', () => {
    const long = parsePriceSheet({
      standard: { input: '100', cacheRead: '10', output: '400' },
      longContext: [{ aboveInputTokens: 1000, standard: { input: '200', output: '600' } }],
    });
    expect(rate(usage({ input: 1, cacheRead: 999, output: 1 }), null, once, long)).toMatchObject({ cost: 100n + 9_990n + 400n });
    expect(rate(usage({ input: 1, cacheRead: 999, cacheWrite5m: 1, output: 1 }), null, once, long)).toMatchObject({
      cost: 200n + 9_990n + 200n + 600n,
    });
  });

  test('takes the price of the tier that served it', () => {
    const tiers = parsePriceSheet({
      standard: { input: '4', output: '8' },
      flex: { input: '2', output: '4' },
      batch: { input: '1', output: '3' },
    });
    const both = usage({ input: 1, output: 1 });
    expect(rate(both, null, once, tiers)).toMatchObject({ cost: 12n });
    expect(rate(both, null, { ...once, tier: 'ON_DEMAND_FLEX' }, tiers)).toMatchObject({ cost: 6n });
    expect(rate(both, null, { ...once, batch: true }, tiers)).toMatchObject({ cost: 4n });
  });

  test('a free model costs 0 because its sheet says so', () => {
    expect(rate(usage({ input: 10, output: 10 }), null, once, sheetFromPerMillion({ input: '0', output: '0' }))).toMatchObject({
      kind: 'rated',
      cost: 0n,
    });
  });

  test('seconds are rounded half to even to whole pico-USD, and only where they are finer', () => {
    const seconds = (audioSeconds: number): unknown =>
      rate(null, { ...NO_UNITS, audioSeconds }, once, parsePriceSheet({ standard: { audioSecond: '1' } }));
    expect(seconds(0.5)).toMatchObject({ cost: 0n });
    expect(seconds(1.5)).toMatchObject({ cost: 2n });
    expect(seconds(2.5)).toMatchObject({ cost: 2n });
    expect(seconds(2.5000001)).toMatchObject({ cost: 3n });
    expect(seconds(1e-7)).toMatchObject({ cost: 0n });
    expect(seconds(1e21)).toMatchObject({ cost: 10n ** 21n });
  });

  test('goes beyond what a double can hold', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(
      rate(usage({ input: most, output: 1 }), null, once, parsePriceSheet({ standard: { input: '999999999999999999', output: '1' } })),
    ).toMatchObject({
      cost: BigInt(most) * 999_999_999_999_999_999n + 1n,
    });
  });
});

describe('unknown is never 0', () => {
  const both = usage({ input: 1, output: 1 });
  const reason = (
    of: TokenUsage | null,
    with_: PriceSheet | null,
    context: Partial<RatingContext> = {},
    units: UnitUsage | null = null,
  ): unknown => {
    const rating = rate(of, units, { ...once, ...context }, with_);
    expect(rateCost(of, units, { ...once, ...context }, with_)).toEqual(rating);
    return rating.kind === 'unrated' ? rating.reason : rating;
  };

  test('a model without a sheet is no_price', () => {
    expect(reason(both, null)).toBe('no_price');
  });

  test('a tier nobody knows, or the sheet does not list, is tier_unknown', () => {
    expect(reason(both, sheet, { tier: 'scale' })).toBe('tier_unknown');
    expect(reason(both, sheet, { tier: 'priority' })).toBe('tier_unknown');
    expect(reason(both, sheet, { batch: true })).toBe('tier_unknown');
  });

  test('a tier without a price for so long a context is combination_unknown', () => {
    const long = parsePriceSheet({
      standard: { input: '2' },
      flex: { input: '1' },
      longContext: [{ aboveInputTokens: 1, standard: { input: '3' } }],
    });
    expect(reason(usage({ input: 2 }), long, { tier: 'flex' })).toBe('combination_unknown');
  });

  test.each([
    ['nothing reported', null],
    ['every class unknown', UNKNOWN_USAGE],
    ['no input', usage({ output: 5 })],
    ['no output', usage({ input: 5 })],
  ])('%s is usage_missing', (_what, of) => {
    expect(reason(of, sheet)).toBe('usage_missing');
  });

  test('a reported 0 is known', () => {
    expect(rate(usage({ input: 0, output: 0 }), null, once, sheet)).toMatchObject({ kind: 'rated', cost: 0n, lines: [] });
    expect(rate(usage({ input: 3, reasoning: 0 }), null, once, sheet)).toMatchObject({ kind: 'rated', cost: 450_000n });
  });

  test('a side that costs nothing need not be reported: embeddings have no output', () => {
    expect(rate(usage({ input: 4 }), null, once, parsePriceSheet({ standard: { input: '2' } }))).toMatchObject({ kind: 'rated', cost: 8n });
  });

  test('the piece that is billed alone must be reported', () => {
    expect(reason(null, parsePriceSheet({ standard: { image: '5' } }))).toBe('usage_missing');
    expect(reason(null, parsePriceSheet({ standard: { audioSecond: '5' } }), {}, NO_UNITS)).toBe('usage_missing');
    expect(reason(usage({ input: 9 }), parsePriceSheet({ standard: { input: '0', output: '0', search: '5' } }))).toBe('usage_missing');
  });

  test('tokens or pieces used without a known price are price_missing', () => {
    expect(
      reason(usage({ input: 1, cacheRead: 1, output: 1 }), parsePriceSheet({ standard: { input: '1', cacheRead: null, output: '1' } })),
    ).toBe('price_missing');
    expect(reason(both, sheet, {}, { ...NO_UNITS, searches: 1 })).toBe('price_missing');
    expect(reason(usage({ input: 1 }), parsePriceSheet({ standard: { output: '0' } }))).toBe('price_missing');
  });

  test('a class with an unknown price that was not used does no harm', () => {
    const cacheUnknown = parsePriceSheet({ standard: { input: '1', cacheRead: null, output: '1' } });
    expect(rate(usage({ input: 1, cacheRead: 0, output: 1 }), { ...NO_UNITS, searches: 0 }, once, cacheUnknown)).toMatchObject({
      cost: 2n,
    });
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%d tokens are usage_invalid', (input) => {
    expect(reason(usage({ input, output: 1 }), sheet)).toBe('usage_invalid');
  });
});

describe('for any usage and prices', () => {
  const price = fc.bigInt({ min: 0n, max: 10n ** 9n }).map(String);
  const tokens = fc.nat({ max: 10_000_000 });
  const anyUsage = fc.record(
    Object.fromEntries(TOKEN_CLASSES.map((tokenClass) => [tokenClass, tokens])) as Record<keyof TokenUsage, typeof tokens>,
  );
  const anyUnits = fc.record({ searches: fc.nat({ max: 100 }), images: fc.nat({ max: 100 }), audioSeconds: fc.nat({ max: 10_000 }) });
  const anySheet = fc
    .record(Object.fromEntries(PRICED_UNITS.map((unit) => [unit, price])))
    .map((standard) => parsePriceSheet({ standard }));
  const costOf = (of: TokenUsage, units: UnitUsage, context: RatingContext, with_: PriceSheet): bigint => {
    const rating = rateCost(of, units, context, with_);
    if (rating.kind === 'unrated') throw new Error(rating.reason);
    return rating.cost;
  };
  const sumOf = (left: TokenUsage, right: TokenUsage): TokenUsage =>
    usage(Object.fromEntries(TOKEN_CLASSES.map((tokenClass) => [tokenClass, (left[tokenClass] ?? 0) + (right[tokenClass] ?? 0)])));

  test('cost is linear: two requests cost what their sum costs', () => {
    fc.assert(
      fc.property(anyUsage, anyUsage, anyUnits, anyUnits, anySheet, (one, other, oneUnits, otherUnits, any) => {
        const units = {
          searches: oneUnits.searches + otherUnits.searches,
          images: oneUnits.images + otherUnits.images,
          audioSeconds: oneUnits.audioSeconds + otherUnits.audioSeconds,
        };
        expect(costOf(one, oneUnits, once, any) + costOf(other, otherUnits, once, any)).toBe(
          costOf(sumOf(one, other), units, { ...once, requests: 2 }, any),
        );
      }),
    );
  });

  test('one token more never costs less, and nothing is ever negative', () => {
    fc.assert(
      fc.property(anyUsage, anyUnits, anySheet, fc.constantFrom(...TOKEN_CLASSES), (of, units, any, tokenClass) => {
        const cost = costOf(of, units, once, any);
        expect(cost >= 0n).toBe(true);
        expect(costOf({ ...of, [tokenClass]: of[tokenClass] + 1 }, units, once, any) >= cost).toBe(true);
      }),
    );
  });

  test('lines sum to the cost; with and without them, and each time, it is the same', () => {
    fc.assert(
      fc.property(anyUsage, anyUnits, anySheet, (of, units, any) => {
        const rating = rate(of, units, once, any);
        if (rating.kind === 'unrated') throw new Error(rating.reason);
        expect(rating.lines.reduce((sum, line) => sum + line.cost, 0n)).toBe(rating.cost);
        for (const line of rating.lines) expect(line.cost).toBe(line.unitPrice * BigInt(line.quantity));
        const { lines: _lines, ...withoutLines } = rating;
        expect(rateCost(of, units, once, any)).toEqual(withoutLines);
        expect(rate(of, units, once, parsePriceSheet(JSON.parse(JSON.stringify(any))))).toEqual(rating);
      }),
    );
  });

  test('a class that was not split from its parent costs the same as one that was, at the same price', () => {
    fc.assert(
      fc.property(tokens, tokens, tokens, price, price, (input, output, reasoning, inputPrice, outputPrice) => {
        const plain = parsePriceSheet({ standard: { input: inputPrice, output: outputPrice } });
        const split = rateCost(usage({ input, output, reasoning }), null, once, plain);
        expect(rateCost(usage({ input, output: output + reasoning }), null, once, plain)).toEqual(split);
      }),
    );
  });
});
