import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { eventually } from '../../../harness/eventually.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { answerJson, completion } from '../../../harness/scripted-upstream.ts';
import { standingClock } from '../../../harness/standing-clock.ts';
import type { BudgetedProxies } from '../budgets/budgeted-proxies.ts';
import { budgetedProxies } from '../budgets/budgeted-proxies.ts';

const atOnce = (amount: string) => ({ unit: 'concurrent_requests' as const, amount, per: null });
const inTenSeconds = (unit: 'requests' | 'output_tokens', amount: string) => ({ unit, amount, per: 'ten_seconds' as const });

/** Calls at the provider that are not answered, and how many there were at most. */
function holdCalls({ upstream }: BudgetedProxies) {
  const running = new Set<ServerResponse>();
  let most = 0;
  upstream.script = (response) => {
    running.add(response);
    most = Math.max(most, running.size);
    response.on('close', () => running.delete(response));
  };
  return {
    running: () => running.size,
    most: () => most,
    answerOne: () => {
      const [first] = running;
      if (first === undefined) return;
      running.delete(first);
      answerJson(first, completion());
    },
  };
}

/** What a client sends until it is answered or leaves. */
interface Sent {
  status: number | null;
  answer: Response | null;
  readonly leave: () => void;
}

function send(world: BudgetedProxies, proxy: TestProxy): Sent {
  const abort = new AbortController();
  const sent: Sent = { status: null, answer: null, leave: () => abort.abort() };
  fetch(`${proxy.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${world.secret}` },
    signal: abort.signal,
  }).then(
    (answer) => {
      sent.answer = answer;
      sent.status = answer.status;
    },
    () => {
      sent.status = 499;
    },
  );
  return sent;
}

test('of two proxies no more requests run at once than a limit says, and one alone runs all of it once the other does not', async () => {
  await using world = await budgetedProxies();
  await world.limitRate({ groupBy: [{ dimension: 'api_key', tagKey: null }], limits: [atOnce('5')] });
  const [one, other] = [await world.start(), await world.start()];
  const calls = holdCalls(world);
  const sent: Sent[] = [];
  const press = (proxy: TestProxy) => {
    if (sent.filter(({ status }) => status === null).length < 12) sent.push(send(world, proxy));
  };
  const refused = () => sent.find(({ status }) => status === 429)?.answer;
  await eventually(() => {
    press(one);
    press(other);
    return calls.running() === 5 && refused();
  });
  expect(refused()?.headers.get('retry-after')).toBe('1');
  expect(refused()?.headers.get('x-ratelimit-limit-concurrent-requests')).toBe('5');
  expect(await refused()?.json()).toMatchObject({
    error: { code: 'rate_limit_exceeded', unit: 'concurrent_requests', per: null, limit: '5', needed: '1' },
  });
  const { events } = [one, other].find(({ events: told }) => told.some(({ event }) => event.outcome === 'rejected')) ?? one;
  const rejected = await eventually(() => events.find(({ event }) => event.outcome === 'rejected'));
  expect(rejected.event.refusedBy).toMatchObject({ needed: '1', amount: '5', settled: '0' });

  // Who leaves without an answer makes room too, as soon as the call is over.
  for (const each of sent) each.leave();
  await eventually(() => {
    calls.answerOne();
    return calls.running() === 0;
  });
  await eventually(() => {
    press(one);
    return calls.running() === 5;
  });
  expect(calls.most()).toBe(5);
  for (const each of sent) each.leave();
});

test('a limit of ten seconds says through all proxies what is left of it and when to come back, and refuses for good what never fits', async () => {
  await using world = await budgetedProxies();
  await world.limitRate({ limits: [inTenSeconds('requests', '3'), inTenSeconds('output_tokens', '30')] });
  // Time stands still, so that nothing leaves the ten seconds however slow the machine is.
  const proxy = await world.start({ clock: standingClock() });
  const answers = [await world.chat(proxy), await world.chat(proxy), await world.chat(proxy), await world.chat(proxy)];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(answers.slice(0, 3).map(({ headers }) => headers.get('x-ratelimit-remaining-requests'))).toEqual(['2', '1', '0']);
  // 5 of 10 were used of each: what a request did not use is there for the next.
  expect(answers[2]?.headers.get('x-ratelimit-remaining-output-tokens')).toBe('10');
  const seconds = Number(answers[3]?.headers.get('retry-after'));
  // What was used counts for ten seconds and at most a fiftieth more.
  expect([10, 11]).toContain(seconds);
  const large = await world.chat(proxy, { max_tokens: 4_000, n: 4 });
  expect([large.status, large.headers.get('x-should-retry')]).toEqual([400, 'false']);
  expect(await large.json()).toMatchObject({
    error: { code: 'request_exceeds_rate_limit', param: 'max_tokens', needed: '40', limit: '30', per: 'ten_seconds' },
  });
});
