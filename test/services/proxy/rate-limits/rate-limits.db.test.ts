import { expect, test } from 'vitest';
import { eventually } from '../../../harness/eventually.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { answerJson, answerStream, completion, plainStream } from '../../../harness/scripted-upstream.ts';
import { brokenBooks } from '../../../leases/sql/lease-functions.ts';
import type { BudgetedProxies } from '../budgets/budgeted-proxies.ts';
import { budgetedProxies } from '../budgets/budgeted-proxies.ts';

const ofKey = { groupBy: [{ dimension: 'api_key' as const, tagKey: null }] };
const anHour = (unit: 'requests' | 'tokens' | 'input_tokens' | 'output_tokens', amount: string) => ({ unit, amount, per: 'hour' as const });

/** Windows are the database's, and its clock says five past noon from now on: no test runs into the end of its hour. */
async function fivePastNoon({ database }: BudgetedProxies): Promise<void> {
  await database.owner.execute(`
    create table noon as select timestamptz '2026-03-10 12:05:00Z' - clock_timestamp() as ahead;
    grant select on noon to turnpike_writer, turnpike_reader;
    create or replace function lease_now() returns timestamptz language sql volatile return clock_timestamp() + (select ahead from noon)`);
}

/** Posts until this is what was settled of each limit, by unit. */
async function untilSettled(world: BudgetedProxies, expected: Readonly<Record<string, bigint>>): Promise<void> {
  await eventually(async () => {
    await world.post();
    const rows = await world.database.writer.db.selectFrom('counter_states').select(['unit', 'settled']).execute();
    return rows.length === Object.keys(expected).length && rows.every(({ unit, settled }) => expected[unit] === settled);
  });
}

/** Asks both in turn, as often as there is anything else to hear than a refusal by the limit. @returns how many were served, and the last refusal. */
async function exhaust(world: BudgetedProxies, proxies: readonly TestProxy[], atLeast: number) {
  let served = 0;
  const refusals: Response[] = [];
  await eventually(async () => {
    const answers = await Promise.all(proxies.flatMap((proxy) => [world.chat(proxy), world.chat(proxy)]));
    for (const answer of answers) {
      if (answer.status === 200) served += 1;
      else if (answer.status === 429) refusals.push(answer);
    }
    await world.post();
    return served >= atLeast && Number(refusals.at(-1)?.headers.get('retry-after')) > 60;
  }, 20_000);
  const last = refusals.at(-1);
  if (last === undefined) throw new Error('nothing was refused');
  return { served, last };
}

test('two proxies let exactly what a rate limit says through, say when to come back, and a raised limit keeps what was used', async () => {
  await using world = await budgetedProxies();
  await fivePastNoon(world);
  const limit = await world.limitRate({ ...ofKey, limits: [anHour('requests', '6')] });
  const proxies = [await world.start(), await world.start()];
  const { served, last } = await exhaust(world, proxies, 6);
  expect([served, world.upstream.requests.length]).toEqual([6, 6]);
  const { error } = (await last.json()) as { error: Record<string, unknown> };
  expect(error).toMatchObject({
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    unit: 'requests',
    per: 'hour',
    limit: '6',
    needed: '1',
  });
  expect(error.rate_limit_id).toMatch(/^rlm_/);
  const seconds = Number(last.headers.get('retry-after'));
  expect([seconds > 3_000, seconds <= 3_300]).toEqual([true, true]);
  expect(Object.fromEntries([...last.headers].filter(([name]) => name.startsWith('x-ratelimit-')))).toEqual({
    'x-ratelimit-limit-requests': '6',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': expect.stringMatching(/^5[0-4]m\d+s$/),
  });
  const id = last.headers.get('x-request-id');
  const refused = await eventually(() => proxies.flatMap(({ events }) => events).find(({ event }) => event.requestId === id));
  expect(refused.event).toMatchObject({
    outcome: 'rejected',
    errorCode: 'rate_limit_exceeded',
    holds: [],
    refusedBy: { budget: error.rate_limit_id, needed: '1', amount: '6' },
  });

  await world.changeRate(limit, [anHour('requests', '8')]);
  let more = 0;
  await eventually(async () => {
    for (const one of proxies) if ((await world.chat(one)).status === 200) more += 1;
    return more >= 2;
  }, 20_000);
  expect(more).toBe(2);
  await untilSettled(world, { requests: 8n });
  expect(await brokenBooks(world.database.writer.db)).toEqual([]);
});

test('tokens are held at the most that a request can use and settled at what it used, and each answer says what is left', async () => {
  await using world = await budgetedProxies();
  await fivePastNoon(world);
  await world.limitRate({ limits: [anHour('tokens', '100000'), anHour('input_tokens', '90000'), anHour('output_tokens', '300')] });
  const proxy = await world.start();
  world.upstream.script = (response, { body }) =>
    body.includes('"stream":true') ? answerStream(response, plainStream()) : answerJson(response, completion());
  const first = await eventually(async () => {
    const answer = await world.chat(proxy);
    return answer.status === 200 ? answer : null;
  }, 15_000);
  const { holds: firstHolds } = await proxy.eventOf(first.headers.get('x-request-id'));
  const second = await world.chat(proxy, { stream: true });
  expect([second.status, second.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  await second.text();
  const { holds } = await proxy.eventOf(second.headers.get('x-request-id'));
  const left = [100_000n, 90_000n, 300n].map((amount, index) => {
    const [before, now] = [firstHolds[index], holds[index]];
    return (amount - BigInt(before?.debit ?? 0) - BigInt(now?.hold ?? 0)).toString();
  });
  expect(firstHolds.map(({ debit }) => debit)).toEqual(['15', '10', '5']);
  expect(['tokens', 'input-tokens', 'output-tokens'].map((name) => second.headers.get(`x-ratelimit-remaining-${name}`))).toEqual(left);
  expect(second.headers.get('x-ratelimit-limit-output-tokens')).toBe('300');
  await untilSettled(world, { tokens: 27n, input_tokens: 20n, output_tokens: 7n });

  const large = await world.chat(proxy, { max_tokens: 4_000, n: 40 });
  const { error } = (await large.json()) as { error: { message: string } };
  expect(large.headers.get('x-should-retry')).toBe('false');
  expect([large.status, error.message]).toEqual([
    400,
    'The request could use 400 output tokens, more than a rate limit ever lets through per hour: 300. Lower its `max_tokens`, make it shorter, or have the limit raised.',
  ]);
});
