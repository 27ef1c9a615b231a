import type OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parsePriceSheet } from '../../../../services/pricing/price-sheet.ts';
import type { BatchRecords } from '../../../../services/proxy/batches/batch-records.ts';
import { createKeyedRequests } from '../../../../services/proxy/idempotency/keyed-requests.ts';
import type { SnapshotBudget } from '../../../../services/registry/snapshot.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import type { UpstreamScript } from '../../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import type { BatchedProxies } from './batched-proxies.ts';
import { batchedProxies } from './batched-proxies.ts';

const IN = 260_503n;
const OUT = 783_509n;
const sheet = parsePriceSheet({
  standard: { input: '521000', output: '1567000' },
  batch: { input: IN.toString(), output: OUT.toString() },
});

let world: BatchedProxies;
let proxy: TestProxy;
beforeAll(async () => {
  world = await batchedProxies({ 'sim/echo': sheet, 'sim/reasoning': parsePriceSheet({ standard: sheet.standard }) });
  proxy = await world.start();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.database.owner.execute('truncate provider_batches, provider_batch_charges');
});

const isOver = ({ status }: OpenAI.Batch) => ['completed', 'cancelled'].includes(status);
const over = (from: TestProxy, id: string) =>
  eventually(async () => {
    const batch = await world.client(from).batches.retrieve(id);
    return isOver(batch) ? batch : null;
  });
type Line = { readonly response: { readonly body: OpenAI.ChatCompletion } };
const outputOf = async (from: TestProxy, { output_file_id: id }: OpenAI.Batch): Promise<Line[]> => {
  const text = await (await world.client(from).files.content(id ?? '')).text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
};
/** Tokens that an output tells of, in and out. */
const told = (lines: readonly Line[]): readonly [bigint, bigint] => [
  BigInt(lines.reduce((sum, { response }) => sum + (response.body.usage?.prompt_tokens ?? 0), 0)),
  BigInt(lines.reduce((sum, { response }) => sum + (response.body.usage?.completion_tokens ?? 0), 0)),
];
const settled = () =>
  eventually(async () => {
    await world.post();
    return (await world.states()).every((state) => state === 'settled');
  });
/** The charges since the last of this batch's test began. */
const chargesAfter = async (before: number) => (await world.charges()).slice(before);

test('the official client makes a batch and reads it; its cost is in the ledger, exactly and once', async () => {
  const before = (await world.charges()).length;
  const { batches } = world.client(proxy);
  const made = await world.batch(proxy, ['hello there', 'a longer text of several words', 'three']);
  expect(made).toMatchObject({ object: 'batch', endpoint: '/v1/chat/completions' });
  const batch = await over(proxy, made.id);
  expect(batch.request_counts).toEqual({ total: 3, completed: 3, failed: 0 });
  const lines = await outputOf(proxy, batch);
  expect(lines.map(({ response }) => response.body.choices[0]?.message.content)).toEqual([
    'hello there',
    'a longer text of several words',
    'three',
  ]);
  const ids: string[] = [];
  for await (const { id } of batches.list({ limit: 1 })) ids.push(id);
  expect(ids).toEqual([made.id]);
  await settled();
  const [input, output] = told(lines);
  expect(await chargesAfter(before)).toEqual([
    {
      cost: input * IN + output * OUT,
      unrated: null,
      model: 'sim/echo',
      flags: [],
      input,
      output,
      key: world.apiKeyId,
      tags: { project: 'nightly' },
    },
  ]);
  const creation = await eventually(() =>
    proxy.events.find(({ event: each }) => each.model === 'sim/echo' && each.endpoint === '/v1/batches' && !each.batch),
  );
  expect(creation.event).toMatchObject({ outcome: 'succeeded', status: 200, costPico: '0', usage: null, modelRequested: 'sim/echo' });
  const event = await eventually(() => proxy.events.find(({ event: each }) => each.batch)?.event);
  expect(event).toMatchObject({ endpoint: '/v1/batches', provider: 'sim', attempts: [{ providerRequestId: made.id }], batch: true });
  // It stays in its list, and its charges need not be kept any more.
  expect((await batches.list()).data.map(({ status }) => status)).toEqual(['completed']);
  expect(await world.database.writer.db.selectFrom('provider_batch_charges').select('entry_id').execute()).toEqual([]);
});

test('another organization neither finds it nor makes one of its file', async () => {
  const made = await world.batch(proxy, ['mine']);
  const { batches, files } = world.client(proxy, world.otherSecret);
  await expect(batches.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: 'batch_not_found' });
  await expect(batches.cancel(made.id)).rejects.toMatchObject({ status: 404, code: 'batch_not_found' });
  expect((await batches.list()).data).toEqual([]);
  const stolen = { input_file_id: made.input_file_id, endpoint: '/v1/chat/completions' as const, completion_window: '24h' as const };
  await expect(batches.create(stolen)).rejects.toMatchObject({ status: 404, code: 'file_not_found' });
  const { output_file_id: output } = await over(proxy, made.id);
  await expect(files.content(output ?? '')).rejects.toMatchObject({ status: 404, code: 'file_not_found' });
  await settled();
});

test('where the price book has no batch price it is unrated, never free', async () => {
  const before = (await world.charges()).length;
  const made = await world.batch(proxy, ['x', 'y'], { model: 'sim/reasoning' });
  const [input] = told(await outputOf(proxy, await over(proxy, made.id)));
  await settled();
  expect(await chargesAfter(before)).toMatchObject([{ cost: null, unrated: 'tier_unknown', model: 'sim/reasoning', input }]);
});

test('of a batch that is cancelled what was done is charged for', async () => {
  const before = (await world.charges()).length;
  const made = await world.batch(
    proxy,
    Array.from({ length: 60 }, (_, index) => `line ${index}`),
    { metadata: { simulator: 'ttft-ms=150' } },
  );
  await eventually(async () => ((await world.client(proxy).batches.retrieve(made.id)).request_counts?.completed ?? 0) > 0);
  expect((await world.client(proxy).batches.cancel(made.id)).status).toBe('cancelling');
  const batch = await over(proxy, made.id);
  expect(batch.status).toBe('cancelled');
  const lines = await outputOf(proxy, batch);
  expect(lines.length).toBeLessThan(60);
  await settled();
  const [input, output] = told(lines);
  expect(await chargesAfter(before)).toMatchObject([{ cost: input * IN + output * OUT }]);
});

/** A proxy that dies, to all others, where it says: from then on it does nothing more. */
const dyingAt = (step: 'rated' | 'handed over') => {
  let dead = false;
  return (records: BatchRecords): BatchRecords => ({
    ...records,
    claim: async (holdMs) => (dead ? null : records.claim(holdMs)),
    rate: async (...given) => {
      const isOurs = await records.rate(...given);
      dead = true;
      if (step === 'rated') throw new Error('it died here');
      return isOurs;
    },
  });
};

for (const step of ['rated', 'handed over'] as const) {
  test(`whoever dies on the way, a batch is charged for once: ${step}`, async () => {
    const before = (await world.charges()).length;
    await proxy.stop();
    const dying = await world.start({ wrap: dyingAt(step) });
    const made = await world.batch(dying, ['hello', 'there']);
    const [input, output] = told(await outputOf(dying, await over(dying, made.id)));
    await eventually(async () => (await world.states())[0] === 'rated');
    const handedOver = () => dying.events.filter(({ event }) => event.batch).length;
    if (step === 'handed over') await eventually(() => handedOver() === 1);
    await dying.stop();
    expect(handedOver()).toBe(step === 'rated' ? 0 : 1);
    proxy = await world.start();
    // The other proxy finds that the ledger lacks it, and hands it over (again): the same bytes, under the same id.
    await eventually(() => proxy.events.some(({ event }) => event.batch));
    const known = await world.post();
    if (step === 'handed over') expect(known).toBeGreaterThan(0);
    await settled();
    expect(await chargesAfter(before)).toMatchObject([{ cost: input * IN + output * OUT, input, output }]);
  });
}

test('while what it cost is not read yet, its output cannot be deleted', async () => {
  await using idle = await world.start({ wrap: (records) => ({ ...records, claim: async () => null }) });
  await proxy.stop();
  const made = await world.batch(idle, ['x']);
  const { output_file_id: output } = await over(idle, made.id);
  await expect(world.client(idle).files.delete(output ?? '')).rejects.toMatchObject({ status: 409, code: 'batch_not_settled' });
  proxy = await world.start();
  await settled();
  expect(await world.client(idle).files.delete(output ?? '')).toMatchObject({ deleted: true });
});

/** A provider that does what it is asked, once it has failed at each step. */
const troubled: UpstreamScript = (response, { method, path }) => {
  const at = `${method} ${path.replace(/^\/v1|\?.*$/g, '')}`;
  const times = (seen.get(at) ?? 0) + 1;
  seen.set(at, times);
  const batch = {
    id: 'batch-1',
    object: 'batch',
    input_file_id: 'file-in',
    status: 'completed',
    output_file_id: 'file-out',
    request_counts: { completed: 1 },
  };
  const line = JSON.stringify({
    custom_id: 'a',
    response: { status_code: 200, body: { model: 'm', usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } } },
  });
  switch (at) {
    case 'POST /files':
      return answerJson(response, { id: 'file-in', object: 'file', purpose: 'batch' });
    case 'POST /batches':
      // It is made, and nobody hears of it.
      return void response.destroy();
    case 'GET /batches':
      return answerJson(response, { object: 'list', data: [{ ...batch, id: 'batch-0', input_file_id: 'file-0' }, batch], has_more: false });
    case 'GET /batches/batch-1':
      if (times === 1) return answerJson(response, { error: { message: 'busy' } }, 503);
      return answerJson(response, batch);
    default:
      if (times === 1) return answerJson(response, { error: { message: 'busy' } }, 500);
      response.writeHead(200, { 'content-length': line.length });
      response.write(line.slice(0, times === 2 ? 20 : line.length));
      if (times === 2) response.destroy();
      else response.end();
  }
};
const seen = new Map<string, number>();

test('a batch that nobody heard of is found, and what fails is tried again until its cost is in the ledger', async () => {
  const before = (await world.charges()).length;
  await proxy.stop();
  await using upstream = await startScriptedUpstream(troubled);
  const troubledProxy = await world.start({ providers: { sim: upstream.baseUrl } });
  await expect(world.batch(troubledProxy, ['x'])).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
  await settled();
  expect(await chargesAfter(before)).toMatchObject([{ cost: 7n * IN + 3n * OUT, input: 7n, output: 3n, key: world.apiKeyId }]);
  expect(await troubledProxy.metric('proxy_batch_failures_total')).toBeGreaterThanOrEqual(3);
  expect(troubledProxy.logLines.some((line) => line.includes('a batch could not be settled'))).toBe(true);
  expect(await world.client(troubledProxy).batches.retrieve('batch-1')).toMatchObject({ status: 'completed' });
  await troubledProxy.stop();
  proxy = await world.start();
});

test('a budget that is enforced keeps batches out, one that only counts is told of their cost', async () => {
  await proxy.stop();
  const limit = { id: '00000000-0000-7000-8000-000000000001', unit: 'usd' as const, window: { kind: 'lifetime' as const }, amount: '1' };
  const budget: SnapshotBudget = {
    id: 'bud_1',
    organizationId: world.organizationId,
    selector: [{ dimension: 'model', tagKey: null, in: ['sim/echo'] }],
    groupBy: [],
    limits: [limit],
    thresholds: [],
    enforcement: 'enforce',
    downgradeTo: null,
    onUnpricedModel: 'block',
    fallbackPrice: null,
  };
  const strict = await world.start({ budgets: [budget] });
  await expect(world.batch(strict, ['x'])).rejects.toMatchObject({
    status: 400,
    code: 'endpoint_not_supported',
    error: { budget_id: 'bud_1' },
  });
  await strict.stop();
  expect(await world.states()).toEqual([]);
  proxy = await world.start({ budgets: [{ ...budget, enforcement: 'notify' }] });
  await world.batch(proxy, ['x']);
  const charge = await eventually(() => proxy.events.find(({ event }) => event.batch)?.event);
  expect(charge.counted).toEqual([{ limit: limit.id, group: '', cost: charge.costPico }]);
});

test('a batch that is asked for again under its idempotency key is made once', async () => {
  await proxy.stop();
  proxy = await world.start({ keyedRequests: (node, epoch) => createKeyedRequests(world.database.writer.db, node, epoch) });
  const { input_file_id } = await world.batch(proxy, ['x']);
  const again = () =>
    world
      .client(proxy)
      .batches.create(
        { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' },
        { headers: { 'idempotency-key': 'once' } },
      );
  const one = await again();
  expect(await again()).toEqual(one);
  expect(await world.states()).toHaveLength(2);
});
