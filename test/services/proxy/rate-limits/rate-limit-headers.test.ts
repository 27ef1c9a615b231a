import { expect, test } from 'vitest';
import type { PlannedHold } from '../../../../services/proxy/budgets/budget-holds.ts';
import { compileRateLimit } from '../../../../services/proxy/rate-limits/compiled-rate-limit.ts';
import { rateLimitHeaders, resetText } from '../../../../services/proxy/rate-limits/rate-limit-headers.ts';

const limitOf = (limit: string, unit: 'requests' | 'tokens' | 'usd', amount: string): PlannedHold => {
  const limits = [{ id: limit, unit, amount, per: 'minute' as const, commonId: null }];
  const [compiled] = compileRateLimit({ id: 'rlm_1', organizationId: 'org_1', selector: [], groupBy: [], limits, reserve: null });
  if (compiled === undefined) throw new Error('nothing was compiled');
  return { limit, group: '', amount: 1n, unit, budget: compiled.budget, counter: '' };
};

test.each([
  [0, '0ms'],
  [0.2, '1ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [59_001, '1m0s'],
  [360_000, '6m0s'],
  [86_400_000, '24h0m0s'],
])('%d ms until a reset is told as %s', (milliseconds, text) => {
  expect(resetText(milliseconds)).toBe(text);
});

test('of several limits that count a request the one that leaves the least is told, and money and budgets are not', () => {
  const holds = [limitOf('wide', 'requests', '100'), limitOf('tight', 'requests', '50'), limitOf('usd', 'usd', '7')];
  const remaining: Readonly<Record<string, bigint>> = { wide: 10n, tight: 3n };
  const standing = (limit: string) => ({ remaining: remaining[limit] ?? 0n, spent: 0n, endsInMs: 1_500 });
  expect(rateLimitHeaders(holds, [], { counted: standing, shared: () => null })).toEqual([
    ...['x-ratelimit-limit-requests', '50', 'x-ratelimit-remaining-requests', '3', 'x-ratelimit-reset-requests', '2s'],
  ]);
  const budgets = holds.map((hold) => ({ ...hold, budget: { ...hold.budget, kind: 'budget' as const } }));
  expect(rateLimitHeaders(budgets, [], { counted: standing, shared: () => null })).toBeNull();
});

test('a limit that nothing is known of yet is told as unused', () => {
  expect(rateLimitHeaders([limitOf('new', 'tokens', '9')], [], { counted: () => null, shared: () => null })).toEqual([
    ...['x-ratelimit-limit-tokens', '9', 'x-ratelimit-remaining-tokens', '9'],
  ]);
});
