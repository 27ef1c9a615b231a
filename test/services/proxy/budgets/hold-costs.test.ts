import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { TakenHold } from '../../../../services/proxy/budgets/budget-holds.ts';
import type { CompiledBudget } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import { holdCosts } from '../../../../services/proxy/budgets/hold-costs.ts';
import { localEnding } from '../../../../services/proxy/settlement/settle.ts';

const budget: CompiledBudget = {
  kind: 'budget',
  id: 'bud_1',
  selector: [],
  except: null,
  groupBy: [],
  limits: [],
  shared: [],
  warnsFrom: null,
  enforcement: 'enforce',
  downgradeTo: null,
  onUnpricedModel: 'block',
  fallbackPrice: null,
};
const fallback = { ...budget, fallbackPrice: { input: 1_000_000n, output: 2_000_000n } };
const hold = (unit: TakenHold['unit'], of = budget): TakenHold => ({ limit: 'l', group: '', amount: 99n, unit, budget: of, counter: unit });
const all = [hold('usd'), hold('tokens'), hold('requests')];
const attempt = {
  provider: 'acme',
  upstreamModel: 'm',
  startMs: 0,
  durationMs: 1,
  status: 200,
  outcome: 'succeeded' as const,
  errorCode: null,
  providerRequestId: null,
};
const ending = { ...localEnding('succeeded', 200, null, 1), attempts: [attempt] };
const usage = { ...UNKNOWN_USAGE, input: 10, cacheRead: 2, output: 5 };
const rated = { kind: 'rated' as const, costPico: 7n, priceVersion: 'v' };
const unrated = { kind: 'unrated' as const, reason: 'no_price' };

test.each([
  ['what was rated', all, { ...ending, usage, cost: rated }, { usd: 7n, tokens: 17n, requests: 1n }],
  ['nothing where no call was made', all, { ...ending, attempts: [] }, { usd: 0n, tokens: 0n, requests: 0n }],
  ['a request where a call was made and billed nothing', all, ending, { usd: 0n, tokens: 0n, requests: 1n }],
  ['tokens alone where the price is not known', all, { ...ending, usage, cost: unrated }, { tokens: 17n, requests: 1n }],
  ['what is not known where nothing is', all, { ...ending, cost: unrated }, { requests: 1n }],
  ['what is not known where a side is missing', all, { ...ending, usage: { ...usage, output: null }, cost: unrated }, { requests: 1n }],
  ["the budget's own price", [hold('usd', fallback)], { ...ending, usage, cost: unrated }, { usd: 22n }],
  ["the model's price before the budget's", [hold('usd', fallback)], { ...ending, usage, cost: rated }, { usd: 7n }],
])('a settlement costs %s', (_what, holds, end, costs) => {
  const found = holdCosts(holds, end);
  expect(Object.fromEntries(holds.map(({ counter }) => [counter, found.get(counter)]))).toEqual(costs);
});
