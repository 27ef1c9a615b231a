import { expect, test } from 'vitest';
import { planCounts } from '../../../../services/proxy/budgets/budget-counts.ts';
import type { CompiledBudget } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import { settleCounts } from '../../../../services/proxy/budgets/settle-counts.ts';
import type { LimitSight } from '../../../../services/proxy/budgets/watched-limits.ts';
import { localEnding } from '../../../../services/proxy/settlement/settle.ts';
import type { BudgetSubject } from '../../../../services/registry/catalog/match-budgets.ts';

const window = { kind: 'lifetime' as const };
const limit = (id: string, unit: 'usd' | 'tokens' | 'requests') => ({ id, unit, amount: '0', window });
const budgetOf = (fields: Partial<CompiledBudget>): CompiledBudget => ({
  kind: 'budget',
  except: null,
  id: 'bud_1',
  selector: [],
  groupBy: [],
  limits: [limit('t', 'tokens')],
  shared: [],
  warnsFrom: null,
  enforcement: 'audit',
  downgradeTo: null,
  onUnpricedModel: 'block',
  fallbackPrice: null,
  ...fields,
});
const subject: BudgetSubject = {
  teamId: null,
  userId: null,
  serviceAccountId: null,
  apiKeyId: 'key_1',
  endUser: null,
  aliasOf: (name) => name,
  model: 'acme/m',
  provider: 'acme',
  routeId: null,
  tags: {},
};
const bound = { input: 70, output: 30 };
const attempt = { provider: 'acme', upstreamModel: 'm', startMs: 0, durationMs: 1, status: 200, errorCode: null, providerRequestId: null };
const unknown = {
  ...localEnding('succeeded', 200, null, 1),
  attempts: [{ ...attempt, outcome: 'succeeded' as const }],
  cost: { kind: 'unrated' as const, reason: 'no_price' },
};
const sees = (sight: LimitSight | null) => ({ see: () => sight, lastSeen: () => sight });

test.each([
  ['all that it may use fits', { amount: 1_000n, settled: 900n }, null],
  ['a token too many is settled', { amount: 1_000n, settled: 901n }, { needed: '100', amount: '1000', settled: '901' }],
  ['nothing is known', null, null],
])('an audited budget judges a request by what it may use at most: %s', (_case, sight, judged) => {
  const counts = planCounts([budgetOf({})], subject, bound, null, sees(sight));
  const { wouldRefuse } = settleCounts(counts, unknown, sees(null));
  expect(wouldRefuse).toEqual(judged === null ? [] : [{ budget: 'bud_1', limit: 't', ...judged }]);
});

test('a limit that was not known at admission is judged by what was seen before the end, and one that was known is not judged anew', () => {
  const over = { amount: 10n, settled: 10n };
  const early = planCounts([budgetOf({})], subject, bound, null, sees({ amount: 1_000n, settled: 0n }));
  expect(settleCounts(early, unknown, sees(over)).wouldRefuse).toEqual([]);
  const late = planCounts([budgetOf({})], subject, bound, null, sees(null));
  expect(settleCounts(late, unknown, sees(over)).wouldRefuse).toHaveLength(1);
});

test('a budget is named once, by the first of its limits that is short, and one that only notifies never', () => {
  const limits = [limit('r', 'requests'), limit('t', 'tokens')];
  const budgets = [budgetOf({ limits }), budgetOf({ id: 'bud_2', limits, enforcement: 'notify' })];
  const full = sees({ amount: 0n, settled: 0n });
  const { wouldRefuse, counted } = settleCounts(planCounts(budgets, subject, bound, null, full), unknown, full);
  expect(wouldRefuse).toEqual([{ budget: 'bud_1', limit: 'r', needed: '1', amount: '0', settled: '0' }]);
  // Usage is not known: all that it may have used counts.
  expect(counted.map(({ limit: of, cost }) => [of, cost])).toEqual([
    ['r', '1'],
    ['t', '100'],
    ['r', '1'],
    ['t', '100'],
  ]);
});

test('a model without a price would have been refused where an audited budget blocks it, and costs nothing that is known', () => {
  const limits = [limit('u', 'usd')];
  const counts = planCounts(
    [
      budgetOf({ limits }),
      budgetOf({ id: 'bud_2', limits, onUnpricedModel: 'allow' }),
      budgetOf({ id: 'bud_3', limits, enforcement: 'notify' }),
    ],
    subject,
    bound,
    null,
    sees({ amount: 10n, settled: 0n }),
  );
  expect(settleCounts(counts, unknown, sees(null))).toEqual({
    counted: [],
    wouldRefuse: [{ budget: 'bud_1', limit: 'u', needed: null, amount: null, settled: null }],
  });
});
