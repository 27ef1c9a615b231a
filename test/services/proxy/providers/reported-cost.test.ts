import { expect, test } from 'vitest';
import { openrouterCost } from '../../../../services/proxy/providers/openrouter/usage.ts';
import { perplexityCost } from '../../../../services/proxy/providers/perplexity/usage.ts';
import { reportedPico } from '../../../../services/proxy/providers/reported-cost.ts';
import { xaiCost } from '../../../../services/proxy/providers/xai/usage.ts';

test.each([
  [0, 0n],
  [0.00501, 5_010_000_000n],
  [1.5e-7, 150_000n],
  [2, 2_000_000_000_000n],
  // A float's noise is not money.
  [0.1 + 0.2, 300_000_000_000n],
  [0.0000000000005, 1n],
  [0.0000000000004, 0n],
  [1e-30, 0n],
  [-0.1, null],
  [1e300, null],
  [Number.NaN, null],
  ['0.1', null],
  [null, null],
])('%s USD of a provider are %s pico-USD', (usd, pico) => {
  expect(reportedPico(usd)).toBe(pico);
});

test('xAI reports ticks, Perplexity a total, OpenRouter a number; what reports nothing is null', () => {
  expect(xaiCost({ cost_in_usd_ticks: 5_596_400 })).toBe(559_640_000n);
  expect(perplexityCost({ cost: { request_cost: 0.005, total_cost: 0.00501 } })).toBe(5_010_000_000n);
  expect(openrouterCost({ cost: 0.00044968 })).toBe(449_680_000n);
  expect([xaiCost({}), perplexityCost({ cost: 0.1 }), openrouterCost({ cost: {} })]).toEqual([null, null, null]);
});
