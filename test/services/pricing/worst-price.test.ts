import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import type { PriceSheet, UnitPrices } from '../../../services/pricing/price-sheet.ts';
import { PRICED_UNITS, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { rateCost } from '../../../services/pricing/rate.ts';
import { worstCost } from '../../../services/pricing/worst-price.ts';

const price = fc.integer({ min: 0, max: 1_000 }).map(String);
const prices: fc.Arbitrary<UnitPrices> = fc
  .tuple(price, price, fc.dictionary(fc.constantFrom(...PRICED_UNITS), fc.oneof(price, fc.constant(null))))
  .map(([input, output, others]) => ({ ...others, input, output }));
const sheets: fc.Arbitrary<PriceSheet> = fc
  .tuple(
    prices,
    fc.option(prices),
    fc.option(prices),
    fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 2 }),
    prices,
    fc.option(prices),
  )
  .map(([standard, priority, flex, thresholds, long, longPriority]) => ({
    standard,
    ...(priority === null ? {} : { priority }),
    ...(flex === null ? {} : { flex }),
    longContext: thresholds
      .sort((one, other) => one - other)
      .map((aboveInputTokens) => ({ aboveInputTokens, standard: long, ...(longPriority === null ? {} : { priority: longPriority }) })),
  }));

test('no usage within the bounds costs more, in whatever tier it is served', () => {
  const tokens = fc.option(fc.integer({ min: 0, max: 40 }));
  const usages = fc.record(
    Object.fromEntries(Object.keys(UNKNOWN_USAGE).map((name) => [name, tokens])) as { [Name in keyof typeof UNKNOWN_USAGE]: typeof tokens },
  );
  const slack = fc.integer({ min: 0, max: 20 });
  const piece = fc.option(fc.nat(5));
  const pieces = fc.record({ searches: piece, images: piece, audioSeconds: piece });
  fc.assert(
    fc.property(
      sheets,
      usages,
      fc.constantFrom(null, 'priority', 'flex'),
      slack,
      slack,
      pieces,
      (sheet, usage, tier, moreIn, moreOut, units) => {
        const rated = rateCost(usage, units, { tier, batch: false, requests: 1 }, sheet);
        if (rated.kind === 'unrated') return;
        const { output, reasoning, outputAudio, outputImage, ...inputs } = usage;
        const sum = (counts: readonly (number | null)[]): number => counts.reduce<number>((total, count) => total + (count ?? 0), 0);
        const worst = worstCost(sheet, {
          input: sum(Object.values(inputs)) + moreIn,
          output: sum([output, reasoning, outputAudio, outputImage]) + moreOut,
          searches: units.searches ?? 0,
          images: units.images ?? 0,
          audioSeconds: units.audioSeconds ?? 0,
        });
        expect(worst).toBeGreaterThanOrEqual(rated.cost);
      },
    ),
    { numRuns: 500 },
  );
});

test('a plain sheet costs its plain prices, and one whose plain prices are not known has no worst cost', () => {
  const sheet = sheetFromPerMillion({ input: '1.5', output: '2' });
  expect(worstCost(sheet, { input: 100, output: 10 })).toBe(170_000_000n);
  expect(worstCost({ standard: { input: null, output: '1' } }, { input: 100, output: 10 })).toBeNull();
  expect(worstCost({ standard: { input: '1' } }, { input: 100, output: 10 })).toBeNull();
});

test('a price is not missed for what cannot be used: embeddings have no output', () => {
  expect(worstCost({ standard: { input: '20000' } }, { input: 100, output: 0 })).toBe(2_000_000n);
  expect(worstCost(null, { input: 0, output: 0 })).toBe(0n);
  expect(worstCost(null, { input: 1, output: 0 })).toBeNull();
});

test('what is billed by the search is held by the search, also beside tokens that cost nothing', () => {
  const most = { input: 100, output: 0, searches: 3 };
  expect(worstCost({ standard: { input: '0', output: '0', search: '2000000000' } }, most)).toBe(6_000_000_000n);
  expect(worstCost({ standard: { search: '2000000000' } }, most)).toBe(6_000_000_000n);
  expect(worstCost({ standard: { input: '7' } }, most)).toBe(700n);
  expect(worstCost(null, { input: 0, output: 0, searches: 1 })).toBeNull();
  // Who is served in another tier meets its price, also where the plain one has none.
  expect(worstCost({ standard: { input: '7' }, priority: { search: '5' } }, most)).toBe(715n);
});

test('where a sheet has a price for pieces they are held, and with the tokens where it has both', () => {
  const pieces = { input: 100, output: 10, images: 3, audioSeconds: 1.5 };
  expect(worstCost({ standard: { image: '40000000000' } }, pieces)).toBe(120_000_000_000n);
  expect(worstCost({ standard: { audioSecond: '100' } }, pieces)).toBe(200n);
  expect(worstCost({ standard: { input: '1', output: '2', image: '5' } }, pieces)).toBe(100n + 20n + 15n);
  expect(worstCost({ standard: { image: '40000000000' } }, { input: 100, output: 10 })).toBeNull();
});
