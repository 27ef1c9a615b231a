import { expect, test } from 'vitest';
import { budgetWarningHeaders, watchWarnable } from '../../../../services/proxy/budgets/budget-warning.ts';
import { compileBudgets } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import type { WatchedLimit } from '../../../../services/proxy/budgets/watched-limits.ts';
import type { SnapshotBudget } from '../../../../services/registry/snapshot.ts';

const seen = (budget: string, warnsFrom: number, settled: bigint, amount = 1_000n, seenAt = 10_000) => {
  return { budget, warnsFrom, watched: { sight: { amount, settled }, seenAt } };
};
const warningOf = (...warnable: ReturnType<typeof seen>[]) => budgetWarningHeaders({ warnable, arrivedAt: 10_000 })[1] ?? null;

test('a budget is warned of from its lowest threshold on, to the last unit, with a whole percentage that is never too high', () => {
  expect(warningOf(seen('bud_1', 8_050, 804n))).toBeNull();
  expect(warningOf(seen('bud_1', 8_050, 805n))).toBe('bud_1;used=80');
  expect(warningOf(seen('bud_1', 8_050, 809n))).toBe('bud_1;used=80');
  expect(warningOf(seen('bud_1', 8_000, 2_500n))).toBe('bud_1;used=250');
  const exact = 10n ** 29n * 8n;
  expect(warningOf(seen('bud_1', 8_000, exact - 1n, 10n ** 30n))).toBeNull();
  expect(warningOf(seen('bud_1', 8_000, exact, 10n ** 30n))).toBe('bud_1;used=80');
});

test('of several the three that are used most are named, in that order, each once by its limit that is used most', () => {
  const all = [
    seen('bud_1', 5_000, 600n),
    seen('bud_2', 5_000, 900n),
    seen('bud_1', 5_000, 700n),
    seen('bud_1', 5_000, 650n),
    seen('bud_3', 5_000, 400n),
    seen('bud_4', 5_000, 510n),
    seen('bud_5', 5_000, 800n),
  ];
  expect(warningOf(...all)).toBe('bud_2;used=90, bud_5;used=80, bud_1;used=70');
});

test('nothing is said of what nobody has seen, of what was seen long before the request came, or of a limit of nothing', () => {
  expect(budgetWarningHeaders({ warnable: null, arrivedAt: 0 })).toEqual([]);
  const unseen: WatchedLimit = { sight: null, seenAt: Number.NEGATIVE_INFINITY };
  expect(budgetWarningHeaders({ warnable: [{ budget: 'bud_1', warnsFrom: 1, watched: unseen }], arrivedAt: 0 })).toEqual([]);
  expect(warningOf(seen('bud_1', 1, 1_000n, 1_000n, 4_999))).toBeNull();
  expect(warningOf(seen('bud_1', 1, 1_000n, 1_000n, 5_000))).toBe('bud_1;used=100');
  // A long answer: it was seen while the request ran.
  expect(warningOf(seen('bud_1', 1, 1_000n, 1_000n, 99_000))).toBe('bud_1;used=100');
  expect(warningOf(seen('bud_1', 1, 5n, 0n))).toBeNull();
});

test('only limits whose budget has thresholds are looked at', () => {
  const budgetOf = (id: string, thresholds: readonly string[]): SnapshotBudget => ({
    id,
    organizationId: 'org_1',
    selector: [],
    groupBy: [],
    limits: [],
    thresholds,
    enforcement: 'enforce',
    downgradeTo: null,
    onUnpricedModel: 'block',
    fallbackPrice: null,
  });
  const compiled = compileBudgets([budgetOf('bud_1', []), budgetOf('bud_2', ['80.5', '100'])]).get('org_1')?.holding?.always ?? [];
  const counting = compiled.map((budget) => ({ budget, limit: `of ${budget.id}`, group: 'ada' }));
  const watched: WatchedLimit = { sight: null, seenAt: 0 };
  const asked: string[] = [];
  const limits = {
    watch: (limit: string, group: string) => {
      asked.push(`${limit} ${group}`);
      return watched;
    },
  };
  const before = [seen('bud_0', 1, 1n)];
  expect(watchWarnable(counting.slice(0, 1), limits, null)).toBeNull();
  expect(watchWarnable(counting.slice(0, 1), limits, before)).toBe(before);
  expect(asked).toEqual([]);
  expect(watchWarnable(counting, limits, before)).toEqual([...before, { budget: 'bud_2', warnsFrom: 8_050, watched }]);
  expect(asked).toEqual(['of bud_2 ada']);
});
