import { expect, test } from 'vitest';
import { eventually } from '../../../harness/eventually.ts';
import { testModel } from '../../../harness/proxy.ts';
import { answerJson, completion } from '../../../harness/scripted-upstream.ts';
import { standingClock } from '../../../harness/standing-clock.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

/** From the moment the last acknowledged beat was sent (reference/leases.md section 8). */
const fenceMs = 240_000;
/** A lease that nobody uses for ten seconds goes back. */
const stepMs = 9_000;

test('without the database nothing is admitted from 240 s after the last beat on, though there is room; what is audited is; all goes on once it is back', async () => {
  await using world = await budgetedProxies();
  const limits = [lifetime('requests', 1_000n)];
  await world.define({ name: 'Held', selector: [{ dimension: 'model', tagKey: null, in: ['acme/fast'] }], limits });
  await world.define({ name: 'Seen', selector: [{ dimension: 'model', tagKey: null, in: ['acme/open'] }], limits, enforcement: 'audit' });
  const clock = standingClock();
  const proxy = await world.start({ clock, models: ['acme/fast', 'acme/open'].map((name) => testModel(name, { maxOutputTokens: 10 })) });
  const ask = async (model: string): Promise<number> => (await world.chat(proxy, { model })).status;
  const detail = async (): Promise<string | undefined> => {
    const answer = (await (await fetch(`${proxy.url}/readyz`)).json()) as { details?: { leases?: string } };
    return answer.details?.leases;
  };
  const lease = () =>
    world.database.writer.db.selectFrom('lease_states').select(['epoch', 'granted', 'returned', 'held']).executeTakeFirstOrThrow();

  // What is used now is leased ahead for the next ten seconds, until half of it is there.
  let admitted = 80n;
  expect(await Promise.all(Array.from({ length: 80 }, () => ask('acme/fast')))).toEqual(Array.from({ length: 80 }, () => 200));
  const leased = await eventually(async () => {
    const state = await lease();
    return state.granted - admitted >= 40n ? state : null;
  });

  world.away = true;
  for (let leftMs = fenceMs - 1; leftMs > 0; leftMs -= stepMs) {
    clock.pass(Math.min(leftMs, stepMs));
    expect(await ask('acme/fast')).toBe(200);
    admitted += 1n;
  }
  let answer: () => void = () => {};
  // However this ends: who waits would wait for ever by a clock that stands.
  using _ = { [Symbol.dispose]: () => answer() };
  world.upstream.script = (response) => {
    answer = () => {
      answer = () => {};
      answerJson(response, completion());
    };
  };
  const called = world.upstream.requests.length;
  const running = world.chat(proxy);
  await eventually(() => world.upstream.requests.length > called);
  admitted += 1n;
  world.upstream.script = (response) => answerJson(response, completion());
  expect(await detail()).toBe('in touch with the database');

  clock.pass(1);
  const refused = await world.chat(proxy);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ error: { code: 'accounting_unavailable' } });
  expect(await detail()).toMatch('has not acknowledged a beat for 240 s');
  // There was room for more of them.
  expect(await lease()).toMatchObject({ granted: leased.granted, returned: 0n });
  expect(leased.granted - admitted).toBeGreaterThan(0n);
  // What runs is let finish, and what is audited comes in, is counted, and is judged by nobody.
  answer();
  expect((await running).status).toBe(200);
  const audited = await world.chat(proxy, { model: 'acme/open' });
  expect(audited.status).toBe(200);
  const event = await proxy.eventOf(audited.headers.get('x-request-id'));
  expect([event.counted?.map(({ cost }) => cost), event.wouldRefuse]).toEqual([['1'], undefined]);

  world.away = false;
  await eventually(async () => (await ask('acme/fast')) === 200);
  admitted += 1n;
  expect([await detail(), (await lease()).epoch]).toEqual(['in touch with the database', leased.epoch]);
  await eventually(() => proxy.events.filter(({ event: { outcome } }) => outcome === 'succeeded').length === Number(admitted) + 1);
  await world.post();
  const counters = await world.database.writer.db.selectFrom('counter_states').select('settled').orderBy('settled').execute();
  expect(counters.map(({ settled }) => settled)).toEqual([1n, admitted]);
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});
