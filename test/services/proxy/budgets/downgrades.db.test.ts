import { expect, test } from 'vitest';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import type { GivenBudget } from '../../../../services/registry/budget-definition.ts';
import type { SnapshotRoute } from '../../../../services/registry/snapshot.ts';
import { testModel } from '../../../harness/proxy.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

/** Tokens a hold is larger by than the body and the answer. */
const ALLOWANCE = 512;
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

test("sent on to a route it takes that route's cap, and to a model it keeps the cap of the route it came by", async () => {
  await using world = await budgetedProxies();
  const wide = ['acme/wide', 'acme/other', 'acme/small'].map((name) => testModel(name));
  const routeTo = (name: string, modelName: string, tokens: number): SnapshotRoute => ({
    id: `rte_${name}`,
    organizationId: world.organizationId,
    name,
    strategy: 'single',
    createdAt: 0,
    outputCap: { tokens, injected: true },
    targets: [{ modelId: wide.find((model) => model.name === modelName)?.id ?? '', weight: 1, credentialId: null }],
  });
  const full = { enforcement: 'downgrade', limits: [lifetime('requests', 0n)] } as const;
  await world.define({ name: 'Wide', ...of('acme/wide'), ...full, downgradeTo: 'route/brief' });
  await world.define({ name: 'Other', ...of('acme/other'), ...full, downgradeTo: 'acme/small' });
  await world.define({ name: 'Small', ...of('acme/small'), limits: [lifetime('tokens', 1_000_000n)] });
  const routes = [routeTo('long', 'acme/wide', 40), routeTo('brief', 'acme/small', 20), routeTo('kept', 'acme/other', 30)];
  const proxy = await world.start({ models: wide, routes });
  const ask = async (model: string, fields: Record<string, unknown> = {}) => {
    const body = { model, messages: [{ role: 'user', content: 'hello' }], ...fields };
    const response = await world.chat(proxy, body);
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    const sent = JSON.parse(world.upstream.requests.at(-1)?.body.toString() ?? '') as Record<string, unknown>;
    const output = Number(event.holds[0]?.hold) - Buffer.byteLength(JSON.stringify(body)) - ALLOWANCE;
    const injected = /max_tokens_injected; max_tokens=(\d+)$/.exec(response.headers.get('x-turnpike-warning') ?? '')?.[1] ?? null;
    return [response.status, event.model, event.decision.reason, output, sent.max_tokens, injected];
  };
  expect(await ask('route/long')).toEqual([200, 'acme/small', 'budget_downgrade', 20, 20, '20']);
  expect(await ask('acme/wide')).toEqual([200, 'acme/small', 'budget_downgrade', 20, 20, '20']);
  expect(await ask('route/long', { max_tokens: 99 })).toEqual([200, 'acme/small', 'budget_downgrade', 99, 99, null]);
  expect(await ask('route/kept')).toEqual([200, 'acme/small', 'budget_downgrade', 30, 30, '30']);
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
