import { randomBytes } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintId } from '../../../../schema/values/ids.ts';
import { createBatchRecords } from '../../../../services/proxy/batches/batch-records.ts';
import { createFileRecords } from '../../../../services/proxy/files/file-records.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../../harness/proxy.ts';
import { makeOrganization } from '../../../harness/registry.ts';
import type { RunningSimulator } from '../../../harness/simulator.ts';
import { startSimulator } from '../../../harness/simulator.ts';

let database: TestDatabase;
let simulator: RunningSimulator;
let one: TestProxy;
let two: TestProxy;
let acme: ReturnType<typeof testKey>;
let other: ReturnType<typeof testKey>;
beforeAll(async () => {
  database = await createTestDatabase();
  simulator = await startSimulator();
  const organization = async (slug: string) => idFromUuid('organization', await makeOrganization(database.writer.db, slug));
  acme = testKey({ organizationId: await organization('acme') });
  other = testKey({ organizationId: await organization('other') });
  // Two proxies of one installation know the same providers.
  const providerIds = { sim: mintId('provider', Date.now(), randomBytes(10)) };
  const start = () =>
    startProxy({
      providers: { sim: simulator.baseUrl },
      providerIds,
      models: [testModel('sim/echo')],
      keys: [acme.key, other.key],
      fileRecords: createFileRecords(database.writer.db),
      batchRecords: createBatchRecords(database.writer.db),
    });
  one = await start();
  two = await start();
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await simulator[Symbol.asyncDispose]();
  await database.drop();
});

const clientOf = (proxy: TestProxy, secret: string) => new OpenAI({ baseURL: proxy.baseUrl, apiKey: secret, maxRetries: 0 });
const lineFor = (model: string, id: string) =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: id }] },
  });

test('a file is uploaded, listed, read and deleted by the official client, on whichever proxy', async () => {
  const here = clientOf(one, acme.secret);
  const there = clientOf(two, acme.secret);
  const made = await here.files.create({ file: await toFile(Buffer.from('hello'), 'hello.txt'), purpose: 'user_data' });
  expect(made).toMatchObject({ object: 'file', bytes: 5, filename: 'hello.txt', purpose: 'user_data' });
  expect(await there.files.retrieve(made.id)).toEqual(made);
  expect(await (await there.files.content(made.id)).text()).toBe('hello');
  const second = await here.files.create({ file: await toFile(Buffer.from('more'), 'more.txt'), purpose: 'user_data' });
  const listed: string[] = [];
  for await (const { id } of there.files.list({ limit: 1, purpose: 'user_data' })) listed.push(id);
  expect(listed).toEqual([second.id, made.id]);
  expect((await here.files.list({ order: 'asc', limit: 1 })).data.map(({ id }) => id)).toEqual([made.id]);
  expect(await there.files.delete(made.id)).toMatchObject({ id: made.id, deleted: true });
  await expect(here.files.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: 'file_not_found' });
});

test('another organization finds none of it', async () => {
  const { id } = await clientOf(one, acme.secret).files.create({
    file: await toFile(Buffer.from('mine'), 'mine.txt'),
    purpose: 'user_data',
  });
  const stranger = clientOf(one, other.secret);
  const none = { status: 404, code: 'file_not_found' };
  await expect(stranger.files.retrieve(id)).rejects.toMatchObject(none);
  await expect(stranger.files.content(id)).rejects.toMatchObject(none);
  await expect(stranger.files.delete(id)).rejects.toMatchObject(none);
  expect((await stranger.files.list()).data).toEqual([]);
  expect((await stranger.files.list({ after: id })).data).toEqual([]);
  expect(await (await clientOf(one, acme.secret).files.content(id)).text()).toBe('mine');
});

test('the input of a batch goes by the name that the provider has for its model', async () => {
  const input = `${lineFor('sim/echo', 'a')}\n${lineFor('sim/echo', 'b')}\n`;
  const { id } = await clientOf(one, acme.secret).files.create({ file: await toFile(Buffer.from(input), 'in.jsonl'), purpose: 'batch' });
  const kept = await (await clientOf(one, acme.secret).files.content(id)).text();
  const models = kept
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { body: { model: string } }).body.model);
  expect([models, kept.length]).toEqual([['echo', 'echo'], input.length]);
});

test('each request is one entry, which costs nothing', async () => {
  const file = await clientOf(one, acme.secret)
    .files.create({ file: await toFile(Buffer.from('x'), 'x.txt'), purpose: 'user_data' })
    .asResponse();
  const { id } = (await file.json()) as { id: string };
  expect(await one.eventOf(file.headers.get('x-request-id'))).toMatchObject({
    endpoint: '/v1/files',
    outcome: 'succeeded',
    status: 200,
    provider: 'sim',
    model: 'sim/*',
    costPico: '0',
    unrated: null,
    attempts: [{ provider: 'sim', status: 200, outcome: 'succeeded' }],
  });
  const content = await one.get(`/v1/files/${id}/content`, { headers: { authorization: `Bearer ${acme.secret}` } });
  expect(await content.text()).toBe('x');
  expect(await one.eventOf(content.headers.get('x-request-id'))).toMatchObject({
    endpoint: '/v1/files',
    outcome: 'succeeded',
    costPico: '0',
  });
  const lost = await one.get('/v1/files/..%2fmodels');
  expect([lost.status, (await one.eventOf(lost.headers.get('x-request-id'))).errorCode]).toEqual([404, 'file_not_found']);
});

test('what is no form, an unknown model and a body that breaks a rule are refused in words', async () => {
  const client = clientOf(one, acme.secret);
  const upload = async (text: string, purpose: 'batch' | 'user_data' = 'batch', headers: Record<string, string> = {}) =>
    client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose }, { headers });
  await expect(upload(lineFor('sim/none', 'a'))).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  await expect(upload(`${lineFor('sim/echo', 'a')}\n${lineFor('sim/other', 'b')}`)).rejects.toMatchObject({
    status: 400,
    code: 'invalid_request',
  });
  await expect(upload('x', 'user_data', { 'x-turnpike-provider': 'nobody' })).rejects.toMatchObject({ code: 'endpoint_not_supported' });
  const none = await one.post('/v1/files', { purpose: 'batch' });
  expect([none.status, await none.text()]).toEqual([400, expect.stringContaining('unsupported_content_type')]);
});

test('without the database files are refused, and everything else is served', async () => {
  await using proxy = await startProxy({ providers: { sim: simulator.baseUrl }, models: [testModel('sim/echo')] });
  await expect(clientOf(proxy, proxy.key).files.list()).rejects.toMatchObject({ status: 503, code: 'accounting_unavailable' });
  expect((await proxy.chat({ model: 'sim/echo', messages: [{ role: 'user', content: 'hello' }] })).status).toBe(200);
});
