import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BudgetSubject } from '../../../../services/registry/catalog/match-budgets.ts';
import type { PastRequest, SimulatedBudget } from '../../../../services/registry/catalog/simulate-budget.ts';
import { createBudgetSimulation } from '../../../../services/registry/catalog/simulate-budget.ts';

const subject: BudgetSubject = {
  teamId: null,
  userId: null,
  serviceAccountId: null,
  apiKeyId: 'key_1',
  endUser: null,
  aliasOf: (name) => name,
  model: 'acme/large',
  provider: 'acme',
  routeId: null,
  tags: {},
};
const request = (atMs: number, cost: bigint | null, more: Partial<PastRequest> = {}): PastRequest => ({
  atMs,
  cost,
  subject,
  isCall: true,
  tokens: { input: 1n, output: 1n },
  isUnpriced: false,
  ...more,
});
/** Windows of 100 milliseconds. */
const hundreds: SimulatedBudget['limits'][number] = {
  unit: 'usd',
  amount: '10',
  window: { kind: 'minute', zone: 'UTC', anchor: '2001-01-01T00:00:00' },
  windowAt: (atMs) => ({ startsAtMs: Math.floor(atMs / 100) * 100, endsAtMs: Math.floor(atMs / 100) * 100 + 100 }),
};
const forever: SimulatedBudget['limits'][number] = {
  unit: 'usd',
  amount: '10',
  window: { kind: 'lifetime' },
  windowAt: () => ({ startsAtMs: null, endsAtMs: null }),
};
/** In sixtieths of a second. */
const rollingMinute: SimulatedBudget['limits'][number] = { ...forever, window: { kind: 'rolling', seconds: 60 } };
const budgetOf = (limits: SimulatedBudget['limits'], more: Partial<SimulatedBudget> = {}): SimulatedBudget => ({
  selector: [],
  groupBy: [],
  onUnpricedModel: 'block',
  fallbackPrice: null,
  limits,
  ...more,
});

function simulate(budget: SimulatedBudget, requests: readonly PastRequest[], { reportFromMs = 0, topN = 10 } = {}) {
  const simulation = createBudgetSimulation(budget, { reportFromMs });
  for (const each of requests) expect(simulation.add(each)).toBe(true);
  return simulation.result(topN);
}

describe('a simulated budget', () => {
  test('lets through what fits to the last unit, refuses what does not, and what is refused counts nowhere', () => {
    const { totals, limits } = simulate(budgetOf([hundreds]), [
      request(1, 6n),
      request(2, 5n),
      request(3, 4n),
      request(4, 1n),
      request(100, 10n),
    ]);
    expect(totals).toEqual({ values: null, requests: 5, refused: 2, cost: 20n, refusedCost: 6n, firstRefusedAtMs: 2 });
    expect(limits).toEqual([
      {
        refused: 2,
        firstRefusedAtMs: 2,
        peak: 10n,
        windows: [
          { startsAtMs: 0, endsAtMs: 100, used: 10n, peak: 10n, refused: 2 },
          { startsAtMs: 100, endsAtMs: 200, used: 10n, peak: 10n, refused: 0 },
        ],
      },
    ]);
  });

  test('never lets more through in a window than the limit, whatever the requests', () => {
    const requests = fc.array(fc.record({ gap: fc.nat(60), cost: fc.bigInt({ min: 0n, max: 12n }) }), { maxLength: 60 });
    fc.assert(
      fc.property(requests, (made) => {
        let atMs = 0;
        const { totals, limits } = simulate(
          budgetOf([hundreds, { ...forever, amount: '50' }]),
          made.map(({ gap, cost }) => {
            atMs += gap;
            return request(atMs, cost);
          }),
        );
        for (const limit of limits) expect(limit.peak).toBeLessThanOrEqual(limit === limits[0] ? 10n : 50n);
        expect(limits[0]?.windows.reduce((sum, { used }) => sum + used, 0n)).toBe(totals.cost);
        expect(totals.cost + totals.refusedCost).toBe(made.reduce((sum, { cost }) => sum + cost, 0n));
      }),
    );
  });

  test('frees what has left a rolling window in sixtieths, no sooner', () => {
    const { totals } = simulate(budgetOf([rollingMinute]), [
      request(500, 10n),
      request(60_999, 1n),
      // The second in which the first was used began a minute ago, and is over.
      request(61_000, 1n),
    ]);
    expect([totals.refused, totals.firstRefusedAtMs]).toEqual([1, 60_999]);
  });

  test('counts each group for itself, all limits or none, and names the groups with the most refusals first', () => {
    const of = (apiKeyId: string) => ({ subject: { ...subject, apiKeyId } });
    const result = simulate(
      budgetOf(
        [
          { ...hundreds, unit: 'requests', amount: '2' },
          { ...forever, amount: '5' },
        ],
        { groupBy: [{ dimension: 'api_key', tagKey: null }] },
      ),
      [
        ...[1, 2, 3].map((at) => request(at, 1n, of('a'))),
        request(4, 6n, of('b')),
        request(5, 5n, of('b')),
        ...[6, 7].map((at) => request(at, 1n, of('c'))),
      ],
      { topN: 2 },
    );
    expect(result.groups.map(({ values, requests, refused, cost }) => [values, requests, refused, cost])).toEqual([
      [['b'], 2, 1, 5n],
      [['a'], 3, 1, 2n],
      [null, 2, 0, 2n],
    ]);
    expect(result.limits.map(({ refused, peak }) => [refused, peak])).toEqual([
      [1, 2n],
      [1, 5n],
    ]);
  });

  test('counts what came before the report and reports only what came after', () => {
    const { totals, limits } = simulate(budgetOf([hundreds]), [request(10, 8n), request(20, 9n), request(60, 3n), request(70, 2n)], {
      reportFromMs: 50,
    });
    expect([totals.requests, totals.refused, totals.cost]).toEqual([2, 1, 2n]);
    expect(limits[0]).toMatchObject({ refused: 1, windows: [{ used: 10n, refused: 1 }] });
  });

  test('picks by the selector, and a limit that does not count yet neither refuses nor counts', () => {
    const budget = budgetOf([{ ...forever, windowAt: (atMs) => (atMs < 50 ? null : { startsAtMs: null, endsAtMs: null }) }], {
      selector: [{ dimension: 'model', tagKey: null, in: ['acme/*'] }],
    });
    const other = { subject: { ...subject, model: 'other/model' } };
    const { totals } = simulate(budget, [request(1, 99n), request(60, 10n), request(61, 99n, other), request(62, 1n)]);
    expect([totals.requests, totals.refused]).toEqual([3, 1]);
  });

  test('does with a model without a price what the budget says, and counts a cost that is not known as nothing, saying so', () => {
    const unpriced = request(1, null, { isUnpriced: true, tokens: { input: 2n, output: 3n } });
    const orphan = request(2, null);
    const blocked = simulate(budgetOf([forever]), [unpriced, orphan]);
    expect([blocked.totals.refused, blocked.refusedUnpriced, blocked.unknown]).toEqual([1, 1, 1]);
    const allowed = simulate(budgetOf([forever], { onUnpricedModel: 'allow' }), [unpriced]);
    expect([allowed.totals.refused, allowed.unknown]).toEqual([0, 1]);
    const fallbackPrice = { input: '1000000', output: '2000000' };
    const fallback = simulate(budgetOf([forever], { onUnpricedModel: 'fallback', fallbackPrice }), [unpriced, unpriced]);
    expect([fallback.totals.refused, fallback.limits[0]?.peak, fallback.unknown]).toEqual([1, 8n, 0]);
  });
});
