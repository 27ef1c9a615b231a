import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createSimulator } from '../../../services/simulator/server.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSimulator } from '../../harness/simulator.ts';

const body = (model: string) => JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] });

test('unknown paths and methods get the envelope, and bad paging is refused', async () => {
  await using provider = await startSimulator();
  const statusOf = async (path: string, method = 'GET') => {
    const response = await fetch(provider.url + path, { method });
    return [response.status, typeof JSON.parse(await response.text()).error.message];
  };
  expect(await statusOf('/v1/nothing')).toEqual([404, 'string']);
  expect(await statusOf('/v1/models', 'POST')).toEqual([405, 'string']);
  expect(await statusOf('/v1/models/%E0%A4%A')).toEqual([404, 'string']);
  expect(await statusOf('/books/entries?after=-1')).toEqual([400, 'string']);
  expect(await statusOf('/books/entries?limit=10001')).toEqual([400, 'string']);
  expect(await statusOf('/requests/last?limit=65')).toEqual([400, 'string']);
});

test('broken JSON and a body that is too large get the envelope, and the server goes on', async () => {
  await using provider = await startSimulator();
  const post = (text: string | Uint8Array<ArrayBuffer>) => fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: text });
  expect((await post('{"model": ')).status).toBe(400);
  expect((await post(Buffer.from([0xff, 0xfe]))).status).toBe(400);
  expect((await post(Buffer.alloc(41 * 1024 * 1024, 0x20))).status).toBe(413);
  expect((await post(body('echo'))).status).toBe(200);
});

test("a field called failure in a body is the client's own affair", async () => {
  await using provider = await startSimulator();
  const text = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }], failure: { status: 418 } });
  expect((await fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: text })).status).toBe(200);
});

test('health, readiness and metrics answer', async () => {
  await using provider = await startSimulator();
  await (await fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: body('echo') })).text();
  expect(await (await fetch(`${provider.url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${provider.url}/readyz`)).json()).toEqual({ status: 'ready', reasons: [], checks: ['open'] });
  expect(await (await fetch(`${provider.url}/metrics`)).text()).toContain('turnpike_simulator_requests_total{outcome="finished"} 1');
});

test('close lets an answer under way finish and takes no new connection', async () => {
  await using provider = await startSimulator();
  const answer = fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'x' }], metadata: { simulator: 'ttft-ms=300' } }),
  });
  await eventually(() => provider.simulator.books.summary().active === 1);
  const startedAt = performance.now();
  const closed = provider.simulator.close(60_000);
  expect((await answer).status).toBe(200);
  await closed;
  // It waits for answers, not for connections that the client keeps open.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  await expect(fetch(`${provider.url}/healthz`)).rejects.toThrow();
});

test('close cuts what outlives its grace', async () => {
  await using provider = await startSimulator();
  const answer = fetch(`${provider.baseUrl}/chat/completions`, { method: 'POST', body: body('stall') }).catch(() => 'broken');
  await eventually(() => provider.simulator.books.summary().active === 1);
  await provider.simulator.close(50);
  expect(await answer).toBe('broken');
});

test('a port that is taken is the error of listen', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(createSimulator().listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  taken.close();
});
