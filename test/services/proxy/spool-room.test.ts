import { expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { answerJson, completion, startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const body = { model: 'fast', messages: [{ role: 'user' as const, content: 'hello' }] };

test('at the spool’s bound requests are refused before any provider is called, and served again when the event log has taken what waited', async () => {
  await using upstream = await startScriptedUpstream((response) => answerJson(response, completion()));
  let isAway = true;
  await using proxy = await startProxy({
    providers: { acme: upstream.baseUrl },
    models: [testModel('acme/fast')],
    spoolMaxBytes: 200_000,
    eventLogAway: () => isAway,
  });
  let served = 0;
  const refused = await eventually(async () => {
    const response = await proxy.chat(body);
    if (response.status !== 200) return response;
    await response.arrayBuffer();
    served += 1;
    return null;
  });
  expect(served).toBeGreaterThan(3);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]/);
  expect(await refused.json()).toMatchObject({ error: { code: 'accounting_unavailable' } });
  expect(upstream.requests).toHaveLength(served);
  expect(await proxy.metric('spool_bytes')).toBeLessThanOrEqual(200_000);

  isAway = false;
  await eventually(async () => {
    const response = await proxy.chat(body);
    await response.arrayBuffer();
    return response.status === 200;
  });
  await eventually(() => proxy.events.filter(({ event }) => event.outcome === 'succeeded').length === served + 1);
  // In the order in which they were settled.
  const times = proxy.events.map(({ record }) => record.headers.ce_time ?? '');
  expect(times).toEqual([...times].sort());
});
