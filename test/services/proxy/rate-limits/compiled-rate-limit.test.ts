import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planHolds } from '../../../../services/proxy/budgets/budget-holds.ts';
import { compileRateLimit } from '../../../../services/proxy/rate-limits/compiled-rate-limit.ts';
import type { BudgetSubject } from '../../../../services/registry/catalog/match-budgets.ts';

const aliasOf = (name: string): string => name;
const nobody = {
  aliasOf,
  teamId: null,
  userId: null,
  serviceAccountId: null,
  endUser: null,
  model: 'a/b',
  provider: 'a',
  routeId: null,
  tags: {},
};
const subject = (apiKeyId: string): BudgetSubject => ({ ...nobody, apiKeyId });
const isUrgent = { dimension: 'api_key' as const, tagKey: null, in: ['urgent'] };

test('whatever comes first, those whom a reserve is kept for have it, and nobody else has more than the rest', () => {
  const run = fc.array(fc.constantFrom('urgent', 'common'), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 99 }), run, (amount, percent, keys) => {
      const limits = [{ id: 'whole', unit: 'requests' as const, amount: String(amount), per: 'minute' as const, commonId: 'common' }];
      const reserve = { percent, for: [isUrgent] };
      const compiled = compileRateLimit({ id: 'rlm_1', organizationId: 'org_1', selector: [], groupBy: [], limits, reserve });
      const budgets = compiled.map(({ budget }) => budget);
      const left = new Map(budgets.flatMap((budget) => budget.limits.map((limit) => [limit.id, BigInt(limit.amount)])));
      const served = { urgent: 0, common: 0 };
      const refused = { urgent: 0, common: 0 };
      for (const key of keys) {
        const plan = planHolds(budgets, subject(key), { input: 1, output: 1 }, null);
        const holds = plan.kind === 'holds' ? plan.holds : [];
        if (holds.every(({ limit, amount: hold }) => (left.get(limit) ?? 0n) >= hold)) {
          for (const { limit, amount: hold } of holds) left.set(limit, (left.get(limit) ?? 0n) - hold);
          served[key] += 1;
        } else refused[key] += 1;
      }
      const open = Math.floor((amount * (100 - percent)) / 100);
      expect(served.common).toBeLessThanOrEqual(open);
      expect(served.common + served.urgent).toBeLessThanOrEqual(amount);
      // None is refused while there is room for it.
      if (refused.urgent > 0) expect(served.common + served.urgent).toBe(amount);
      if (refused.common > 0) expect(served.common === open || served.common + served.urgent === amount).toBe(true);
    }),
  );
});
