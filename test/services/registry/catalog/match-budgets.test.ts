import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BudgetDimension, BudgetKey } from '../../../../schema/values/budget.ts';
import type { BudgetSubject } from '../../../../services/registry/catalog/match-budgets.ts';
import { budgetGroupKey, endUserAlias, matchesBudget } from '../../../../services/registry/catalog/match-budgets.ts';

const hashOf = (text: string): string => createHmac('sha256', 'a key').update(text).digest('base64url');
const subject: BudgetSubject = {
  teamId: 'team_1',
  userId: null,
  serviceAccountId: 'svc_1',
  apiKeyId: 'key_1',
  endUser: 'ada',
  aliasOf: (text) => endUserAlias(hashOf, 'org_1', text),
  model: 'acme/large',
  provider: 'acme',
  routeId: null,
  tags: { app: 'shop', constructor: 'own' },
};
const on = (dimension: BudgetDimension, values: readonly string[], tagKey: string | null = null) => ({ dimension, tagKey, in: values });
const by = (dimension: BudgetDimension, tagKey: string | null = null): BudgetKey => ({ dimension, tagKey });

test('a budget without conditions counts every request', () => {
  expect(matchesBudget([], subject)).toBe(true);
});

test.each([
  [on('team', ['team_2', 'team_1']), true],
  [on('team', ['team_2']), false],
  [on('service_account', ['svc_1']), true],
  [on('api_key', ['key_1']), true],
  [on('end_user', ['ada']), true],
  [on('end_user', ['Ada']), false],
  [on('model', ['acme/large']), true],
  [on('model', ['acme/*']), true],
  [on('model', ['acme/larg']), false],
  [on('model', ['acm/*']), false],
  [on('provider', ['acme']), true],
  [on('tag', ['shop'], 'app'), true],
  [on('tag', ['shop'], 'team'), false],
  // What every object has is no tag of a request.
  [on('tag', [''], 'toString'), false],
  [on('tag', ['own'], 'constructor'), true],
])('%j holds: %s', (condition, holds) => {
  expect(matchesBudget([condition], subject)).toBe(holds);
});

test('a condition on what a request has not never holds', () => {
  expect(matchesBudget([on('user', ['usr_1', '', 'null'])], subject)).toBe(false);
  expect(matchesBudget([on('route', ['rte_1'])], subject)).toBe(false);
});

test('every condition must hold', () => {
  const [team, model] = [on('team', ['team_1']), on('model', ['acme/large'])];
  expect(matchesBudget([team, model], subject)).toBe(true);
  expect(matchesBudget([team, on('model', ['acme/small'])], subject)).toBe(false);
});

test('two requests share a counter exactly when they have the same values, none being a value of its own', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', 'null', '["a"]', 'a","b', 'ada'));
  const values = fc.record({ endUser: fc.option(text), tag: fc.option(text) });
  const groupBy = [by('end_user'), by('tag', 'app')];
  const keyOf = ({ endUser, tag }: { readonly endUser: string | null; readonly tag: string | null }) =>
    budgetGroupKey(groupBy, { ...subject, endUser, tags: tag === null ? {} : { app: tag } });
  fc.assert(
    fc.property(values, values, (one, other) => {
      expect(keyOf(one) === keyOf(other)).toBe(one.endUser === other.endUser && one.tag === other.tag);
    }),
  );
});

test('an end user stands in no key, and has another alias in each organization and under each key', () => {
  expect(budgetGroupKey([by('end_user'), by('team')], subject)).toBe('["eu_e8xAumIs30pLlrOSvaCpG-","team_1"]');
  const alias = endUserAlias(hashOf, 'org_1', 'ada');
  expect(alias).toMatch(/^eu_[A-Za-z0-9_-]{22}$/);
  expect(endUserAlias(hashOf, 'org_1', 'ada')).toBe(alias);
  expect(endUserAlias(hashOf, 'org_2', 'ada')).not.toBe(alias);
  expect(endUserAlias((text) => hashOf(`other ${text}`), 'org_1', 'ada')).not.toBe(alias);
});

test('a counter has a key of at most 96 characters, whatever requests bring', () => {
  const long = (end: string) => budgetGroupKey([by('tag', 'app')], { ...subject, tags: { app: 'x'.repeat(2_000) + end } });
  expect(budgetGroupKey([by('end_user')], { ...subject, endUser: 'x'.repeat(2_000) })).toHaveLength('["eu_"]'.length + 22);
  expect(long('a').length).toBeLessThanOrEqual(96);
  expect(long('a')).not.toBe(long('b'));
  expect(budgetGroupKey([], subject)).toBe('');
});
