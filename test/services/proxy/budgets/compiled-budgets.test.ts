import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUDGET_ENFORCEMENTS } from '../../../../schema/values/budget.ts';
import type { BudgetIndex } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import { compileBudgets, matchingBudgets } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import { matchesBudget } from '../../../../services/registry/catalog/match-budgets.ts';
import type { SnapshotBudget } from '../../../../services/registry/snapshot.ts';

const budgetOf = (id: string, fields: Partial<SnapshotBudget> = {}): SnapshotBudget => ({
  id,
  organizationId: 'org_1',
  selector: [],
  groupBy: [],
  limits: [],
  thresholds: [],
  enforcement: 'enforce',
  downgradeTo: null,
  onUnpricedModel: 'block',
  fallbackPrice: null,
  ...fields,
});

const name = fc.constantFrom('a', 'b', 'c');
const model = fc.constantFrom('p/a', 'p/b', 'q/a');
const condition = fc.oneof(
  fc.record({
    dimension: fc.constantFrom('team', 'user', 'service_account', 'api_key', 'end_user', 'provider', 'route'),
    tagKey: fc.constant(null),
    in: fc.array(name, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    dimension: fc.constant('model' as const),
    tagKey: fc.constant(null),
    in: fc.array(fc.oneof(model, fc.constantFrom('p/*', 'q/*')), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    dimension: fc.constant('tag' as const),
    tagKey: fc.constantFrom('x', 'y'),
    in: fc.array(name, { minLength: 1, maxLength: 3 }),
  }),
);
const sender = fc.record({ teamId: fc.option(name), userId: fc.option(name), serviceAccountId: fc.option(name), apiKeyId: name });
const sent = fc.record({
  endUser: fc.option(name),
  aliasOf: fc.constant((text: string) => text),
  model: fc.option(model),
  provider: fc.option(name),
  routeId: fc.option(name),
  tags: fc.dictionary(fc.constantFrom('x', 'y'), name),
});
/** Each request twice: what is remembered of the one before is right for the second, and for no other. */
const requests = fc.array(sent, { minLength: 1, maxLength: 4 }).map((all) => all.flatMap((one) => [one, one]));

test('the index finds every budget that counts a request, once, and no other, whatever the sender sent before', () => {
  fc.assert(
    fc.property(fc.array(fc.array(condition, { maxLength: 3 }), { maxLength: 12 }), sender, requests, (selectors, from, all) => {
      const budgets = selectors.map((selector, index) => budgetOf(`bud_${index}`, { selector }));
      const index = compileBudgets(budgets).get('org_1');
      for (const one of all) {
        const subject = { ...from, ...one };
        const found = index?.holding == null ? [] : matchingBudgets(index.holding, from, subject);
        expect(found.map(({ id }) => id).sort()).toEqual(
          budgets
            .filter(({ selector }) => matchesBudget(selector, subject))
            .map(({ id }) => id)
            .sort(),
        );
      }
    }),
  );
});

test('budgets of one organization are not those of another, and what holds is apart from what only counts', () => {
  const budgets = BUDGET_ENFORCEMENTS.map((enforcement) => budgetOf(enforcement, { enforcement }));
  const compiled = compileBudgets([
    ...budgets,
    budgetOf('other', { organizationId: 'org_2' }),
    budgetOf('shadow', { organizationId: 'org_3', enforcement: 'audit' }),
  ]);
  const idsOf = (index: BudgetIndex | null) => index?.always.map(({ id }) => id) ?? null;
  expect([...compiled].map(([organizationId, { holding, counting }]) => [organizationId, idsOf(holding), idsOf(counting)])).toEqual([
    ['org_1', ['enforce', 'downgrade'], ['audit', 'notify']],
    ['org_2', ['other'], null],
    ['org_3', null, ['shadow']],
  ]);
});
