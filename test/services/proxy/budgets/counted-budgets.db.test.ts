import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import { eventually } from '../../../harness/eventually.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import type { BudgetedProxies } from './budgeted-proxies.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

async function settled(world: BudgetedProxies) {
  const rows = await world.database.writer.db.selectFrom('counter_states').select(['unit', 'settled', 'held']).orderBy('unit').execute();
  return rows.map(({ unit, settled: used, held }) => [unit, used, held]);
}

test('what a budget notifies of is counted when it is posted, in each of its units, and holds and refuses nothing', async () => {
  await using world = await budgetedProxies();
  const limits = [lifetime('usd', 1n), lifetime('tokens', 1n), lifetime('requests', 1n)];
  await world.define({ name: 'Told', enforcement: 'notify', limits });
  const proxy = await world.start();
  for (let count = 0; count < 3; count++) expect((await world.chat(proxy)).status).toBe(200);
  await eventually(() => proxy.events.length === 3);
  const [first] = proxy.events;
  expect([first?.event.holds, first?.event.counted?.length, first?.event.wouldRefuse]).toEqual([[], 3, undefined]);
  await world.post();
  const cost = BigInt(first?.event.costPico ?? 0);
  expect(cost).toBeGreaterThan(0n);
  expect(await settled(world)).toEqual([
    ['requests', 3n, 0n],
    ['tokens', 45n, 0n],
    ['usd', 3n * cost, 0n],
  ]);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('a budget that is audited says of each request whether it would have refused it, refuses none, and is warned of as one that enforces', async () => {
  await using world = await budgetedProxies();
  const id = await world.define({ name: 'Shadow', enforcement: 'audit', limits: [lifetime('requests', 2n)], thresholds: ['50', '90'] });
  const held = await world.define({ name: 'Held', limits: [lifetime('requests', 10_000n)], thresholds: ['0.01'] });
  await world.define({ name: 'Silent', limits: [lifetime('requests', 10_000n)] });
  const proxy = await world.start();
  const ask = async () => {
    const response = await world.chat(proxy);
    expect(response.status).toBe(200);
    return proxy.eventOf(response.headers.get('x-request-id'));
  };
  for (let count = 0; count < 2; count++) expect((await ask()).wouldRefuse).toBeUndefined();
  await world.post();
  // What was seen just before the posting is known for a second.
  const told = await eventually(async () => (await ask()).wouldRefuse);
  const budget = idFromUuid('budget', id);
  expect(told).toMatchObject([{ budget, needed: '1', amount: '2' }]);
  expect(BigInt(told[0]?.settled ?? 0)).toBeGreaterThanOrEqual(2n);
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: world.secret, maxRetries: 0 });
  await eventually(async () => {
    const asked = client.chat.completions.create({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] });
    const warning = (await asked.asResponse()).headers.get('x-turnpike-budget-warning');
    expect(warning).toBe(`${budget};used=100, ${idFromUuid('budget', held)};used=0`);
    return true;
  });
  await world.post();
  const { db } = world.database.writer;
  const flagged = await db.selectFrom('ledger_entries').select(['flags']).execute();
  expect(flagged.some(({ flags }) => flags.includes('budget_would_refuse'))).toBe(true);
});

test('without the database what is audited is served, counted and not judged', async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Shadow', enforcement: 'audit', limits: [lifetime('requests', 0n)] });
  const proxy = await world.start();
  world.away = true;
  for (let count = 0; count < 3; count++) expect((await world.chat(proxy)).status).toBe(200);
  await eventually(() => proxy.events.length === 3);
  expect(proxy.events.map(({ event }) => [event.counted?.map(({ cost }) => cost), event.wouldRefuse])).toEqual(
    Array.from({ length: 3 }, () => [['1'], undefined]),
  );
  await world.post();
  expect(await settled(world)).toEqual([['requests', 3n, 0n]]);
});
