import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { PRICED_UNITS, priceVersion } from '../../../services/pricing/price-sheet.ts';
import { rate } from '../../../services/pricing/rate.ts';
import { simulatedPriceSheet } from '../../../services/pricing/simulated.ts';

const models = ['echo', 'slow', 'reasoning', 'cached', 'cache-write', 'long'];

test('no price occurs twice, so a mistaken class or model shows in the cost', () => {
  const prices = models
    .flatMap((model) => PRICED_UNITS.map((unit) => simulatedPriceSheet(model).standard[unit]))
    .filter((price) => price != null);
  expect(new Set(prices).size).toBe(prices.length);
  expect(new Set(models.map((model) => priceVersion(simulatedPriceSheet(model)))).size).toBe(models.length);
});

test('every simulated model is priced, whatever its name', () => {
  for (const model of [...models, 'flaky', 'error-rate-limit', 'something-new']) {
    const rating = rate(
      { ...UNKNOWN_USAGE, input: 3, output: 5 },
      null,
      { tier: 'default', batch: false, requests: 1 },
      simulatedPriceSheet(model),
    );
    expect(rating).toMatchObject({ kind: 'rated' });
  }
});

test('sim/echo: 3 tokens in and 5 out cost 0.000003458 USD', () => {
  expect(
    rate({ ...UNKNOWN_USAGE, input: 3, output: 5 }, null, { tier: null, batch: false, requests: 1 }, simulatedPriceSheet('echo')),
  ).toMatchObject({
    cost: 3_458_000n,
  });
});
