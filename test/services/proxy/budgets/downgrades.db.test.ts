import { expect, test } from 'vitest';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import type { GivenBudget } from '../../../../services/registry/budget-definition.ts';
import { testModel } from '../../../harness/proxy.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

const models = ['acme/fast', 'acme/small'].map((name) => testModel(name, { maxOutputTokens: 10 }));
const of = (model: string): Partial<GivenBudget> => ({ selector: [{ dimension: 'model', tagKey: null, in: [model] }] });

test('what a budget has no room for goes where it says, is counted there, and is refused where there is no room either', async () => {
  await using world = await budgetedProxies();
  const downgradeTo = { enforcement: 'downgrade', downgradeTo: 'acme/small' } as const;
  const id = await world.define({ name: 'Fast', ...of('acme/fast'), ...downgradeTo, limits: [lifetime('requests', 2n)] });
  // It would send a request where it is already: there is no loop.
  const last = await world.define({ name: 'Small', ...of('acme/small'), ...downgradeTo, limits: [lifetime('requests', 1n)] });
  const proxy = await world.start({ models });
  const ask = async () => {
    const response = await world.chat(proxy);
    const { model, decision, holds, refusedBy } = await proxy.eventOf(response.headers.get('x-request-id'));
    const seen = [response.status, model, decision.reason, holds.length, response.headers.get('x-turnpike-warning')];
    return { seen, candidates: decision.candidates, refusedBy };
  };
  expect((await ask()).seen).toEqual([200, 'acme/fast', 'named', 1, null]);
  expect((await ask()).seen).toEqual([200, 'acme/fast', 'named', 1, null]);
  const downgraded = await ask();
  const warning = `budget_downgrade; budget=${idFromUuid('budget', id)}`;
  expect(downgraded.seen).toEqual([200, 'acme/small', 'budget_downgrade', 1, warning]);
  expect(downgraded.candidates).toEqual(['acme/fast', 'acme/small']);
  const refused = await ask();
  expect(refused.seen.slice(0, 4)).toEqual([429, 'acme/small', 'budget_downgrade', 0]);
  expect(refused.refusedBy?.budget).toBe(idFromUuid('budget', last));
  expect(world.upstream.requests.map(({ body }) => (JSON.parse(body.toString()) as { model: string }).model)).toEqual([
    'fast',
    'fast',
    'small',
  ]);
  await world.post();
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('a budget that names a model which is not there refuses, as one that enforces', async () => {
  await using world = await budgetedProxies();
  const id = await world.define({ name: 'Gone', enforcement: 'downgrade', downgradeTo: 'acme/gone', limits: [lifetime('requests', 0n)] });
  const proxy = await world.start({ models });
  const response = await world.chat(proxy);
  expect([response.status, await response.json()]).toMatchObject([429, { error: { code: 'insufficient_quota' } }]);
  const event = await proxy.eventOf(response.headers.get('x-request-id'));
  expect(event).toMatchObject({ model: 'acme/fast', outcome: 'rejected', refusedBy: { budget: idFromUuid('budget', id) } });
});
