import { expect, test } from 'vitest';
import type { CounterStateView } from '../../../../schema/tables/counter-state.view.ts';
import { mintId } from '../../../../schema/values/ids.ts';
import { updateOrganization } from '../../../../services/registry/organizations.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { testModel } from '../../../harness/proxy.ts';
import { answerJson, completion } from '../../../harness/scripted-upstream.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import type { BudgetedProxies } from './budgeted-proxies.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

type CounterState = { readonly [Column in keyof CounterStateView]: CounterStateView[Column]['__select__'] };

async function counters(world: BudgetedProxies): Promise<readonly CounterState[]> {
  return world.database.writer.db.selectFrom('counter_states').selectAll().orderBy('group_key').execute();
}

/** Asks until the answer has this code; the refusals before it may be others. */
async function untilRefused(world: BudgetedProxies, proxy: TestProxy, code: string, body = {}) {
  return eventually(async () => {
    const response = await world.chat(proxy, body);
    const answer = (await response.json()) as { error?: Record<string, unknown> };
    return answer.error?.code === code ? { response, error: answer.error } : null;
  }, 15_000);
}

/** Asks at once and over again for as long as only time is missing. @returns how many were answered. */
async function drain(world: BudgetedProxies, proxies: readonly TestProxy[], atOnce: number, body = {}): Promise<number> {
  let answered = 0;
  let over = false;
  const caller = async (index: number): Promise<void> => {
    while (!over) {
      const proxy = proxies[index % proxies.length];
      if (proxy === undefined) throw new Error('no proxy');
      const response = await world.chat(proxy, body);
      const answer = (await response.json()) as { error?: { code: string } };
      if (response.status === 200) answered += 1;
      else if (answer.error?.code === 'insufficient_quota') over = true;
      else if (response.status !== 429 && response.status !== 503) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    }
  };
  const posting = (async () => {
    while (!over) {
      await world.post();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await Promise.all(Array.from({ length: atOnce }, (_, index) => caller(index)));
  await posting;
  await world.post();
  return answered;
}

test('a budget lets exactly as many requests through as it has, and the next one hears which budget is used up', async () => {
  await using world = await budgetedProxies();
  const id = await world.define({ name: 'Five', limits: [lifetime('requests', 5n)] });
  const proxy = await world.start();
  const answers = await Promise.all(Array.from({ length: 12 }, () => world.chat(proxy)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  expect(world.upstream.requests).toHaveLength(5);
  const inFlight = await untilRefused(world, proxy, 'budget_in_flight');
  expect([inFlight.response.status, inFlight.response.headers.get('retry-after')]).toEqual([429, '1']);
  expect(inFlight.error).toMatchObject({ limit: '5', spent: '0', held: '5' });

  await eventually(() => proxy.events.filter(({ event }) => event.outcome === 'succeeded').length === 5);
  await world.post();
  const { response, error } = await untilRefused(world, proxy, 'insufficient_quota');
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false']);
  expect(error).toMatchObject({ type: 'insufficient_quota', unit: 'requests', window: 'lifetime', limit: '5', spent: '5', held: '0' });
  const event = await proxy.eventOf(response.headers.get('x-request-id'));
  expect(event).toMatchObject({
    outcome: 'rejected',
    errorCode: 'insufficient_quota',
    holds: [],
    refusedBy: { budget: error.budget_id, needed: '1', amount: '5', settled: '5', held: '0' },
  });
  expect(await counters(world)).toMatchObject([{ budget_id: id, settled: 5n, held: 0n, overrun: 0n, committed: 5n }]);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('an organization that selected 402 hears it of a budget that is used up, and of nothing else', async () => {
  await using world = await budgetedProxies();
  await world.change((change) => updateOrganization(change, { id: change.organizationId, expectedVersion: 1, budgetExceededStatus: 402 }));
  await world.define({ name: 'One', limits: [lifetime('requests', 1n)] });
  const proxy = await world.start();
  expect((await world.chat(proxy)).status).toBe(200);
  const inFlight = await untilRefused(world, proxy, 'budget_in_flight');
  expect(inFlight.response.status).toBe(429);
  await eventually(() => proxy.events.filter(({ event }) => event.outcome === 'succeeded').length === 1);
  await world.post();
  const { response, error } = await untilRefused(world, proxy, 'insufficient_quota');
  expect([response.status, response.headers.get('x-should-retry'), response.headers.get('retry-after')]).toEqual([402, 'false', null]);
  expect(error).toMatchObject({ type: 'insufficient_quota', limit: '1', spent: '1' });
  const event = await proxy.eventOf(response.headers.get('x-request-id'));
  expect(event).toMatchObject({ outcome: 'rejected', status: 402, errorCode: 'insufficient_quota', refusedBy: { settled: '1' } });
});

test('a budget in USD is spent by two proxies to its last cent and never beyond, whatever the requests in flight', async () => {
  await using world = await budgetedProxies();
  // 512 tokens of allowance beside some 80 bytes: a hold is about 0.0009 USD, and a call costs 0.00062.
  const limit = 40_000_000_000n;
  const cost = 620_000_000n;
  await world.define({ name: 'Cents', limits: [lifetime('usd', limit)] });
  world.upstream.script = (response) =>
    answerJson(response, completion({ usage: { prompt_tokens: 400, completion_tokens: 10, total_tokens: 410 } }));
  const proxies = [await world.start(), await world.start()];
  const answered = await drain(world, proxies, 16);
  const [counter] = await counters(world);
  // Not one more hold fits, and nothing is left held: what remains is less than a request could cost.
  const left = limit - (counter?.settled ?? 0n);
  expect(counter).toMatchObject({ overrun: 0n, settled: BigInt(answered) * cost });
  expect(left).toBeGreaterThanOrEqual(0n);
  expect(left).toBeLessThan(1_000_000_000n);
  expect(BigInt(world.upstream.requests.length) * cost).toBe(counter?.settled);
  await eventually(async () => (await counters(world))[0]?.held === 0n, 15_000);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('all budgets of a request have room for it, or it holds of none', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Many', limits: [lifetime('requests', 100n), lifetime('tokens', 1_000_000n)] });
  await world.define({
    name: 'Two',
    selector: [{ dimension: 'model', tagKey: null, in: ['acme/*'] }],
    limits: [lifetime('requests', 2n)],
  });
  await world.define({
    name: 'Other',
    selector: [{ dimension: 'provider', tagKey: null, in: ['other'] }],
    limits: [lifetime('requests', 0n)],
  });
  const proxy = await world.start();
  const answers = await Promise.all(Array.from({ length: 6 }, () => world.chat(proxy)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  await eventually(() => proxy.events.length >= 6);
  expect(proxy.events.map(({ event }) => event.holds.length).sort()).toEqual([0, 0, 0, 0, 3, 3]);
  await world.post();
  const states = await counters(world);
  expect(states.map(({ unit, settled }) => [unit, settled]).sort()).toEqual([
    ['requests', 2n],
    ['requests', 2n],
    ['tokens', 30n],
  ]);
});

test('of several limits of a budget the one without room refuses, and nothing of the others stays held', async () => {
  await using world = await budgetedProxies();
  // A hold of some 590 tokens in and 10 out is about 0.0009 USD; the answers cost 0.000025.
  const id = await world.define({ name: 'Both', limits: [lifetime('requests', 2n), lifetime('usd', 2_000_000_000n)] });
  const proxy = await world.start({ models: [testModel('acme/fast', { maxOutputTokens: 100_000 })] });
  const ask = async (maxTokens: number) => {
    const response = await world.chat(proxy, { max_tokens: maxTokens });
    const answer = (await response.json()) as { error?: Record<string, unknown> };
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    return [response.status, answer.error?.unit ?? null, event.holds.length];
  };
  // More than there is of the money; were a request held each time, there were none left.
  for (let count = 0; count < 3; count++) expect(await ask(100_000)).toEqual([429, 'usd', 0]);
  expect([await ask(10), await ask(10)]).toEqual([
    [200, null, 2],
    [200, null, 2],
  ]);
  for (let count = 0; count < 3; count++) expect(await ask(10)).toEqual([429, 'requests', 0]);
  expect(world.upstream.requests).toHaveLength(2);
  await proxy.stop();
  await world.post();
  expect((await counters(world)).map(({ budget_id, unit, settled, held }) => [budget_id, unit, settled, held]).sort()).toEqual([
    [id, 'requests', 2n, 0n],
    [id, 'usd', 50_000_000n, 0n],
  ]);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('each end user has a counter of a budget that is grouped by them, and one more for those without a name', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Each', groupBy: [{ dimension: 'end_user', tagKey: null }], limits: [lifetime('requests', 1n)] });
  const proxy = await world.start();
  const ask = async (user?: string): Promise<number> => (await world.chat(proxy, user === undefined ? {} : { user })).status;
  expect([await ask('ada@example.test'), await ask('bob@example.test'), await ask()]).toEqual([200, 200, 200]);
  expect([await ask('ada@example.test'), await ask('bob@example.test'), await ask()]).toEqual([429, 429, 429]);
  await eventually(() => proxy.events.length >= 6);
  await world.post();
  // A name is nowhere but where it can be erased, and found there by what stands for it.
  const { db } = world.database.writer;
  const subjects = await db.selectFrom('request_subject').select(['end_user', 'end_user_alias']).distinct().execute();
  const aliasOf = (name: string | null) => subjects.find(({ end_user }) => end_user === name)?.end_user_alias ?? null;
  expect(new Set([aliasOf('ada@example.test'), aliasOf('bob@example.test'), aliasOf(null)]).size).toBe(3);
  const keys = ['ada@example.test', 'bob@example.test', null].map((name) => JSON.stringify([aliasOf(name)]));
  expect((await counters(world)).map(({ group_key }) => group_key).sort()).toEqual(keys.sort());
  expect(proxy.events.every(({ record }) => !record.value.includes('example.test'))).toBe(true);
});

test('a call that failed for certain gives its hold back, and one whose usage nobody knows keeps all of it', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Tokens', limits: [lifetime('tokens', 1_000_000n), lifetime('requests', 100n)] });
  const proxy = await world.start();
  const holdsOf = async () => {
    const response = await world.chat(proxy);
    const { holds } = await proxy.eventOf(response.headers.get('x-request-id'));
    return holds.map(({ hold, debit, cost }) => [debit === hold ? 'all' : debit, cost === hold ? 'all' : cost]);
  };
  world.upstream.script = (response) => answerJson(response, { error: { message: 'no', type: 'invalid_request_error' } }, 400);
  expect(await holdsOf()).toEqual([
    ['0', '0'],
    ['all', 'all'],
  ]);
  world.upstream.script = (response) => answerJson(response, completion({ usage: undefined }));
  expect(await holdsOf()).toEqual([
    ['all', 'all'],
    ['all', 'all'],
  ]);
  world.upstream.script = (response) => answerJson(response, completion());
  expect(await holdsOf()).toEqual([
    ['15', '15'],
    ['all', 'all'],
  ]);
});

test('a provider that bills above the hold is posted in full, and the rest is reported as an overrun', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Small', limits: [lifetime('tokens', 700n)] });
  const proxy = await world.start();
  world.upstream.script = (response) =>
    answerJson(response, completion({ usage: { prompt_tokens: 1_000, completion_tokens: 5, total_tokens: 1_005 } }));
  expect((await world.chat(proxy)).status).toBe(200);
  await eventually(() => proxy.events.length === 1);
  await world.post();
  const [counter] = await counters(world);
  const [hold] = proxy.events[0]?.event.holds ?? [];
  expect([counter?.settled, hold?.cost]).toEqual([1_005n, '1005']);
  expect(counter?.overrun).toBe(1_005n - BigInt(hold?.debit ?? 0));
  expect(counter?.committed).toBeLessThanOrEqual(700n);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('a model without a price is refused, let through uncounted or counted at a price of the budget, as the budget says', async () => {
  await using world = await budgetedProxies();
  const of = (model: string) => [{ dimension: 'model' as const, tagKey: null, in: [`acme/${model}`] }];
  const limits = [lifetime('usd', 10n ** 12n)];
  await world.define({ name: 'Block', selector: of('block'), limits });
  await world.define({ name: 'Allow', selector: of('allow'), limits: [...limits, lifetime('requests', 5n)], onUnpricedModel: 'allow' });
  await world.define({
    name: 'Fallback',
    selector: of('fallback'),
    limits,
    onUnpricedModel: 'fallback',
    fallbackPrice: { input: '3000000000000', output: '5000000000000' },
  });
  const models = ['block', 'allow', 'fallback'].map((name) => testModel(`acme/${name}`, { prices: [], maxOutputTokens: 10 }));
  const proxy = await world.start({ models });
  const blocked = await world.chat(proxy, { model: 'acme/block' });
  expect([blocked.status, await blocked.json()]).toMatchObject([403, { error: { code: 'model_unpriced', type: 'permission_error' } }]);
  const holdsOf = async (model: string) => {
    const response = await world.chat(proxy, { model });
    expect(response.status).toBe(200);
    return (await proxy.eventOf(response.headers.get('x-request-id'))).holds;
  };
  expect(await holdsOf('acme/allow')).toMatchObject([{ hold: '1', cost: '1' }]);
  // 10 tokens in at 3 and 5 out at 5 USD a million.
  expect(await holdsOf('acme/fallback')).toMatchObject([{ debit: '55000000', cost: '55000000' }]);
});

test('without the database leases serve until they are used up, then what they enforce is refused, and who has no budget is served', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Big', limits: [lifetime('requests', 1_000n)] });
  const proxy = await world.start();
  // What is used in ten seconds is leased ahead.
  for (let count = 0; count < 20; count++) expect((await world.chat(proxy)).status).toBe(200);
  world.away = true;
  let served = 0;
  const refused = await eventually(async () => {
    const response = await world.chat(proxy);
    if (response.status === 200) served += 1;
    return response.status === 200 ? null : response;
  }, 15_000);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ error: { code: 'accounting_unavailable' } });
  expect(served).toBeGreaterThan(0);
  // The proxy's own key is of an organization without a budget.
  expect((await proxy.chat({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] })).status).toBe(200);
  world.away = false;
  await eventually(async () => (await world.chat(proxy)).status === 200, 15_000);
});

test('a proxy that stops in order leaves nothing held, and its next start goes on from there', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Ten', limits: [lifetime('requests', 10n)] });
  const place = { home: await temporaryFolder(), node: mintId('node', Date.now(), systemRandom.bytes(10)) };
  const first = await world.start(place);
  for (let count = 0; count < 4; count++) expect((await world.chat(first)).status).toBe(200);
  await first.stop();
  await world.post();
  expect(await counters(world)).toMatchObject([{ settled: 4n, held: 0n, committed: 4n }]);
  const states = await world.database.writer.db.selectFrom('lease_states').select(['state']).execute();
  expect(states).toEqual([{ state: 'done' }]);
  const second = await world.start(place);
  expect(second.spool.state().epoch).toBe(first.spool.state().epoch + 2);
  expect(await drain(world, [second], 4)).toBe(6);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('the leases of an archived budget are closed at what was spent on them', async () => {
  await using world = await budgetedProxies();
  const id = await world.define({ name: 'Over', limits: [lifetime('requests', 1_000n)] });
  const proxy = await world.start();
  for (let count = 0; count < 3; count++) expect((await world.chat(proxy)).status).toBe(200);
  await eventually(() => proxy.events.length === 3);
  await world.post();
  await world.archive(id);
  const closed = world.database.writer.db.selectFrom('lease_states').select(['state', 'room', 'posted', 'cause']);
  await eventually(async () => (await closed.execute()).every(({ state }) => state === 'done'), 15_000);
  expect(await closed.execute()).toEqual([{ state: 'done', room: 3n, posted: 3n, cause: 'over' }]);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('a request that finds no connection to its provider gives back what it holds', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Ten', limits: [lifetime('requests', 10n)] });
  const proxy = await world.start({ providerOptions: { maxConnections: 1 } });
  let answer: () => void = () => {};
  world.upstream.script = (response) => {
    answer = () => answerJson(response, completion());
  };
  const first = world.chat(proxy);
  await eventually(() => world.upstream.requests.length === 1);
  for (let count = 0; count < 3; count++) {
    const refused = await world.chat(proxy);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'upstream_unavailable' } }]);
  }
  answer();
  expect((await first).status).toBe(200);
  world.upstream.script = (response) => answerJson(response, completion());
  await eventually(async () => (await world.chat(proxy)).status === 200);
  await proxy.stop();
  await world.post();
  expect(await counters(world)).toMatchObject([{ settled: 2n, held: 0n, committed: 2n }]);
});
